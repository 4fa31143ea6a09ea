with newest as (
    select max(event_date) as window_end from fct_sales_event where event_type = 'sale' and is_counted
),
bought as (
    select distinct e.order_id, e.product_id
    from fct_sales_event e
    cross join newest n
    where e.event_type = 'sale' and e.is_counted and e.amount > 0
        and e.event_date > date_sub(n.window_end, 90)
        and e.order_id not in (select order_id from fct_sales_event where event_type = 'cancellation')
),
counted as (
    select count(distinct order_id) as orders from bought
),
products as (
    select product_id, count(*) as orders from bought group by product_id
),
pairs as (
    select a.product_id as product_a, b.product_id as product_b, count(*) as pair_orders
    from bought a
    join bought b on b.order_id = a.order_id and b.product_id > a.product_id
    group by 1, 2
    having count(*) >= 3
)
select
    p.product_a,
    p.product_b,
    date_sub(n.window_end, 89) as window_start,
    n.window_end,
    p.pair_orders,
    a.orders as orders_a,
    b.orders as orders_b,
    c.orders,
    cast(p.pair_orders as decimal(18, 6)) / c.orders as support,
    cast(p.pair_orders as decimal(18, 6)) / a.orders as confidence,
    cast(p.pair_orders * c.orders as decimal(24, 6)) / (a.orders * b.orders) as lift
from pairs p
join products a on a.product_id = p.product_a
join products b on b.product_id = p.product_b
cross join counted c
cross join newest n
