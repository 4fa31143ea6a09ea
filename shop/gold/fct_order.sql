-- Lines, payments and refunds are summed before they meet the order: a join of two of them would double amounts.
with scoped as (
    select o.*
    from orders o
    join scope s on s.customer_id = o.customer_id
),
numbered as (
    select order_id, row_number() over (partition by customer_id order by placed_at, order_id) as customer_order_number
    from scoped
    where not is_test
),
lines as (
    select i.order_id, count(*) as line_count, sum(i.quantity) as unit_count
    from order_items i
    join scoped o on o.order_id = i.order_id
    group by i.order_id
),
paid as (
    select p.order_id, sum(p.amount) as captured
    from payments p
    join scoped o on o.order_id = p.order_id
    where p.status = 'captured'
    group by p.order_id
),
returned as (
    select r.order_id, sum(r.amount) as refunded
    from refunds r
    join scoped o on o.order_id = r.order_id
    group by r.order_id
)
select
    o.order_id,
    o.customer_id,
    n.customer_order_number,
    o.status,
    o.channel,
    o.ship_country,
    o.is_test,
    o.placed_at,
    to_date(from_utc_timestamp(o.placed_at, '${store_time_zone}')) as placed_date,
    o.cancelled_at,
    o.currency,
    o.exchange_rate,
    coalesce(l.line_count, 0) as line_count,
    coalesce(l.unit_count, 0) as unit_count,
    o.subtotal,
    o.discount,
    o.tax,
    o.shipping,
    o.total,
    round(o.total * o.exchange_rate, 2) as total_store,
    coalesce(p.captured, 0) as captured,
    coalesce(r.refunded, 0) as refunded
from scoped o
left join numbered n on n.order_id = o.order_id
left join lines l on l.order_id = o.order_id
left join paid p on p.order_id = o.order_id
left join returned r on r.order_id = o.order_id
