-- Events and orders are brought to one shape and summed once: a join of the two sums would lose a day that only one of them has.
with parts as (
    select
        e.event_date, e.channel, e.ship_country,
        0 as orders, 0 as new_orders, 0 as returning_orders, 0 as refunded_orders, 0 as cancelled_orders,
        case when e.event_type in ('sale', 'discount') then e.amount_store else 0 end as order_value,
        case when e.event_type = 'sale' then e.quantity else 0 end as units_sold,
        case when e.event_type = 'return' then -e.quantity else 0 end as units_returned,
        case when e.event_type = 'sale' then e.amount_store else 0 end as gross_sales,
        case when e.event_type = 'discount' then -e.amount_store else 0 end as discounts,
        case when e.event_type = 'return' then -e.amount_store else 0 end as returns,
        case when e.event_type = 'cancellation' then -e.amount_store else 0 end as cancellations,
        e.amount_store as net_sales,
        cast(0 as decimal(18, 2)) as tax, cast(0 as decimal(18, 2)) as shipping
    from fct_sales_event e
    join scope s on s.event_date = e.event_date
    where e.is_counted
    union all
    select
        o.placed_date, o.channel, o.ship_country,
        o.orders, o.new_orders, o.returning_orders, o.refunded_orders, o.cancelled_orders,
        0, 0, 0, 0, 0, 0, 0, 0,
        o.tax_store, o.shipping_store
    from fct_order o
    join scope s on s.event_date = o.placed_date
    where o.orders = 1
    union all
    select
        o.cancelled_date, o.channel, o.ship_country,
        0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0,
        -o.tax_store, -o.shipping_store
    from fct_order o
    join scope s on s.event_date = o.cancelled_date
    where o.cancelled_orders = 1
)
select
    event_date,
    channel,
    ship_country,
    sum(orders) as orders,
    sum(new_orders) as new_orders,
    sum(returning_orders) as returning_orders,
    sum(refunded_orders) as refunded_orders,
    sum(cancelled_orders) as cancelled_orders,
    sum(order_value) as order_value,
    sum(units_sold) as units_sold,
    sum(units_returned) as units_returned,
    sum(gross_sales) as gross_sales,
    sum(discounts) as discounts,
    sum(returns) as returns,
    sum(cancellations) as cancellations,
    sum(net_sales) as net_sales,
    sum(tax) as tax,
    sum(shipping) as shipping,
    sum(net_sales) + sum(tax) + sum(shipping) as total_sales
from parts
group by event_date, channel, ship_country
