with scoped as (
    select
        r.*,
        o.customer_id,
        o.is_test,
        o.currency,
        o.exchange_rate,
        to_date(from_utc_timestamp(o.placed_at, '${store_time_zone}')) as placed_date,
        to_date(from_utc_timestamp(r.refunded_at, '${store_time_zone}')) as refund_date
    from refunds r
    join scope s on s.order_id = r.order_id
    join orders o on o.order_id = r.order_id
)
select
    r.refund_id,
    r.order_id,
    r.line_no,
    coalesce(i.product_id, 0) as product_id,
    r.customer_id,
    r.is_test,
    coalesce(i.is_gift_card, false) as is_gift_card,
    not r.is_test and not coalesce(i.is_gift_card, false) as is_counted,
    r.placed_date,
    r.refunded_at,
    r.refund_date,
    datediff(r.refund_date, r.placed_date) as days_after_sale,
    coalesce(r.reason, '(none given)') as reason,
    r.quantity,
    i.quantity as sold_quantity,
    r.currency,
    r.exchange_rate,
    r.amount,
    cast(i.unit_price * i.quantity - i.discount as decimal(18, 4)) as line_value,
    round(cast(r.amount as decimal(18, 4)) * r.exchange_rate, 2) as amount_store
from scoped r
left join order_items i on i.order_id = r.order_id and i.line_no = r.line_no
