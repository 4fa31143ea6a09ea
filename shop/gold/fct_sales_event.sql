with scoped as (
    select o.*
    from orders o
    join scope s on s.order_id = o.order_id
),
lines as (
    select
        i.*, o.customer_id, o.channel, o.ship_country, o.is_test, o.currency, o.exchange_rate, o.placed_at, o.status, o.cancelled_at,
        round(cast(i.unit_price * i.quantity as decimal(18, 4)) * o.exchange_rate, 2) as sold_store,
        round(cast(i.discount as decimal(18, 4)) * o.exchange_rate, 2) as discount_store
    from order_items i
    join scoped o on o.order_id = i.order_id
),
returned as (
    select
        r.order_id, r.line_no, sum(r.amount) as refunded, sum(r.quantity) as units,
        sum(round(cast(r.amount as decimal(18, 4)) * o.exchange_rate, 2)) as refunded_store
    from refunds r
    join scoped o on o.order_id = r.order_id
    group by r.order_id, r.line_no
),
events as (
    select
        concat('sale-', order_id, '-', line_no) as event_id,
        'sale' as event_type,
        order_id, line_no, product_id, customer_id, placed_at as event_at, channel, ship_country, is_test, is_gift_card,
        cast(quantity as int) as quantity,
        cast(unit_price as decimal(14, 4)) as source_amount,
        currency, exchange_rate,
        cast(unit_price * quantity as decimal(18, 4)) as amount,
        cast(sold_store as decimal(18, 2)) as amount_store
    from lines
    union all
    select
        concat('discount-', order_id, '-', line_no),
        'discount',
        order_id, line_no, product_id, customer_id, placed_at, channel, ship_country, is_test, is_gift_card,
        0,
        cast(discount as decimal(14, 4)),
        currency, exchange_rate,
        cast(-discount as decimal(18, 4)),
        cast(-discount_store as decimal(18, 2))
    from lines
    where discount > 0
    union all
    select
        concat('return-', r.refund_id),
        'return',
        r.order_id, r.line_no, coalesce(l.product_id, 0), o.customer_id, r.refunded_at, o.channel, o.ship_country, o.is_test,
        coalesce(l.is_gift_card, false),
        -cast(r.quantity as int),
        cast(r.amount as decimal(14, 4)),
        o.currency, o.exchange_rate,
        cast(-r.amount as decimal(18, 4)),
        cast(-round(cast(r.amount as decimal(18, 4)) * o.exchange_rate, 2) as decimal(18, 2))
    from refunds r
    join scoped o on o.order_id = r.order_id
    left join lines l on l.order_id = r.order_id and l.line_no = r.line_no
    union all
    -- A cancellation takes back what returns have not taken back already, so that a cancelled line nets to zero,
    -- in the store's currency too: each event is rounded by itself, and this one takes what their rounding left.
    select
        concat('cancellation-', l.order_id, '-', l.line_no),
        'cancellation',
        l.order_id, l.line_no, l.product_id, l.customer_id, l.cancelled_at, l.channel, l.ship_country, l.is_test, l.is_gift_card,
        -cast(l.quantity - coalesce(r.units, 0) as int),
        cast(l.unit_price * l.quantity - l.discount - coalesce(r.refunded, 0) as decimal(14, 4)),
        l.currency, l.exchange_rate,
        cast(-(l.unit_price * l.quantity - l.discount - coalesce(r.refunded, 0)) as decimal(18, 4)),
        cast(-(l.sold_store - l.discount_store - coalesce(r.refunded_store, 0)) as decimal(18, 2))
    from lines l
    left join returned r on r.order_id = l.order_id and r.line_no = l.line_no
    where l.status = 'cancelled' and l.cancelled_at is not null
)
select
    event_id,
    event_type,
    order_id,
    line_no,
    product_id,
    customer_id,
    event_at,
    to_date(from_utc_timestamp(event_at, '${store_time_zone}')) as event_date,
    channel,
    ship_country,
    is_test,
    is_gift_card,
    not is_test and not is_gift_card as is_counted,
    quantity,
    source_amount,
    currency,
    exchange_rate,
    amount,
    amount_store
from events
