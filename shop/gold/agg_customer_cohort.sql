with newest as (
    select max(trunc(placed_date, 'MM')) as month from fct_order where orders = 1
),
ordered as (
    select
        o.person_key,
        trunc(o.first_order_date, 'MM') as cohort_month,
        cast(months_between(trunc(o.placed_date, 'MM'), trunc(o.first_order_date, 'MM')) as int) as month_number,
        o.net_revenue
    from fct_order o
    join scope s on s.cohort_month = trunc(o.first_order_date, 'MM')
    where o.orders = 1
),
monthly as (
    select cohort_month, month_number, count(distinct person_key) as customers, count(*) as orders, sum(net_revenue) as net_revenue
    from ordered
    group by cohort_month, month_number
),
months as (
    select
        c.cohort_month,
        c.cohort_size,
        explode(sequence(0, cast(months_between(n.month, c.cohort_month) as int))) as month_number
    from (select cohort_month, customers as cohort_size from monthly where month_number = 0) c
    cross join newest n
)
select
    a.cohort_month,
    a.month_number,
    add_months(a.cohort_month, a.month_number) as activity_month,
    a.cohort_size,
    coalesce(m.customers, 0) as customers,
    coalesce(m.orders, 0) as orders,
    coalesce(m.net_revenue, 0) as net_revenue,
    sum(coalesce(m.net_revenue, 0)) over (partition by a.cohort_month order by a.month_number) as cumulative_net_revenue,
    cast(coalesce(m.customers, 0) as decimal(18, 6)) / a.cohort_size as retention
from months a
left join monthly m on m.cohort_month = a.cohort_month and m.month_number = a.month_number
