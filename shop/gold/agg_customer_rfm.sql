with newest as (
    select max(placed_date) as as_of_date from fct_order where orders = 1
),
people as (
    select
        person_key,
        max_by(ship_country, customer_order_number) as country,
        min(placed_date) as first_order_date,
        max(placed_date) as last_order_date,
        min(case when customer_order_number = 2 then placed_date end) as second_order_date,
        sum(orders) as orders,
        sum(net_revenue) as net_revenue
    from fct_order
    where orders = 1
    group by person_key
),
scored as (
    select
        p.*,
        n.as_of_date,
        least(5, 1 + cast(floor(5 * percent_rank() over (order by p.last_order_date)) as int)) as recency_score,
        least(5, 1 + cast(floor(5 * percent_rank() over (order by p.orders)) as int)) as frequency_score,
        least(5, 1 + cast(floor(5 * percent_rank() over (order by p.net_revenue)) as int)) as monetary_score
    from people p
    cross join newest n
),
meant as (
    select *, (frequency_score + monetary_score + 1) div 2 as fm from scored
)
select
    person_key,
    as_of_date,
    country,
    first_order_date,
    last_order_date,
    trunc(first_order_date, 'MM') as cohort_month,
    datediff(second_order_date, first_order_date) as days_to_second_order,
    datediff(as_of_date, last_order_date) as recency_days,
    1 as customers,
    case when orders >= 2 then 1 else 0 end as repeat_customers,
    orders,
    orders - 1 as repeat_orders,
    net_revenue,
    recency_score,
    frequency_score,
    monetary_score,
    case
        when fm >= 4 then case recency_score when 5 then 'champions' when 4 then 'loyal' when 3 then 'loyal' when 2 then 'at risk' else 'previously loyal' end
        when fm = 3 then case recency_score when 5 then 'active' when 4 then 'active' when 3 then 'needs attention' when 2 then 'almost lost' else 'dormant' end
        else case recency_score when 5 then 'new' when 4 then 'promising' when 3 then 'needs attention' when 2 then 'almost lost' else 'dormant' end
    end as rfm_group
from meant
