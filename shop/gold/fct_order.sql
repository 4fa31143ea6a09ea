-- Lines, payments and refunds are summed before they meet the order: a join of two of them would double amounts.
with scoped as (
    select
        o.*,
        s.person_key,
        to_date(from_utc_timestamp(o.placed_at, '${store_time_zone}')) as placed_date,
        to_date(from_utc_timestamp(o.cancelled_at, '${store_time_zone}')) as cancelled_date
    from orders o
    left join customers p on p.customer_id = o.customer_id
    join scope s on s.person_key = coalesce(p.email, concat('customer-', cast(o.customer_id as string)))
),
numbered as (
    select
        order_id,
        row_number() over (partition by person_key order by placed_at, order_id) as customer_order_number,
        min(placed_date) over (partition by person_key) as first_order_date
    from scoped
    where not is_test
),
lines as (
    select
        i.order_id,
        count(*) as line_count,
        sum(i.quantity) as unit_count,
        sum(i.unit_price * i.quantity) as lines_subtotal,
        sum(case when not i.is_gift_card then round(cast(i.unit_price * i.quantity as decimal(18, 4)) * o.exchange_rate, 2) end) as gross_sales,
        sum(case when not i.is_gift_card then round(cast(i.discount as decimal(18, 4)) * o.exchange_rate, 2) end) as discounts
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
    select
        r.order_id,
        sum(r.amount) as refunded,
        sum(case when not coalesce(i.is_gift_card, false) then round(cast(r.amount as decimal(18, 4)) * o.exchange_rate, 2) end) as returns
    from refunds r
    join scoped o on o.order_id = r.order_id
    left join order_items i on i.order_id = r.order_id and i.line_no = r.line_no
    group by r.order_id
),
measured as (
    select
        o.*,
        case when o.is_test then 0 else 1 end as orders,
        case when o.is_test or o.status <> 'cancelled' or o.cancelled_at is null then 0 else 1 end as cancelled_orders,
        case when o.is_test then 0 else coalesce(l.gross_sales, 0) end as gross_sales,
        case when o.is_test then 0 else coalesce(l.discounts, 0) end as discounts,
        case when o.is_test then 0 else coalesce(r.returns, 0) end as returns,
        case when o.is_test then 0 else round(o.tax * o.exchange_rate, 2) end as tax_store,
        case when o.is_test then 0 else round(o.shipping * o.exchange_rate, 2) end as shipping_store,
        coalesce(l.line_count, 0) as line_count,
        coalesce(l.unit_count, 0) as unit_count,
        coalesce(l.lines_subtotal, 0) as lines_subtotal,
        coalesce(r.refunded, 0) as refunded
    from scoped o
    left join lines l on l.order_id = o.order_id
    left join returned r on r.order_id = o.order_id
)
select
    o.order_id,
    o.customer_id,
    o.person_key,
    n.customer_order_number,
    n.first_order_date,
    o.status,
    o.channel,
    o.ship_country,
    o.is_test,
    o.placed_at,
    o.placed_date,
    o.cancelled_at,
    o.cancelled_date,
    o.currency,
    o.exchange_rate,
    o.line_count,
    o.unit_count,
    o.lines_subtotal,
    o.subtotal,
    o.discount,
    o.tax,
    o.shipping,
    o.total,
    round(o.total * o.exchange_rate, 2) as total_store,
    coalesce(p.captured, 0) as captured,
    o.refunded,
    o.orders,
    case when n.customer_order_number = 1 then 1 else 0 end as new_orders,
    case when n.customer_order_number > 1 then 1 else 0 end as returning_orders,
    case when o.orders = 1 and o.refunded > 0 then 1 else 0 end as refunded_orders,
    o.cancelled_orders,
    o.gross_sales,
    o.discounts,
    o.gross_sales - o.discounts as order_value,
    o.returns,
    case when o.cancelled_orders = 1 then 0 else o.gross_sales - o.discounts - o.returns end as net_revenue,
    o.tax_store,
    o.shipping_store
from measured o
left join numbered n on n.order_id = o.order_id
left join paid p on p.order_id = o.order_id
