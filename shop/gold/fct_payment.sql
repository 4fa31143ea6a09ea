with scoped as (
    select
        p.*,
        o.customer_id,
        o.is_test,
        o.currency as order_currency,
        o.exchange_rate,
        to_date(from_utc_timestamp(o.placed_at, '${store_time_zone}')) as placed_date,
        round(p.amount * o.exchange_rate, 2) as amount_store
    from payments p
    join scope s on s.order_id = p.order_id
    join orders o on o.order_id = p.order_id
)
select
    payment_id,
    order_id,
    customer_id,
    row_number() over (partition by order_id order by payment_id) as attempt_number,
    method,
    status,
    method = 'gift_card' as is_gift_card,
    is_test,
    placed_date,
    paid_at,
    to_date(from_utc_timestamp(paid_at, '${store_time_zone}')) as paid_date,
    currency,
    order_currency,
    exchange_rate,
    amount,
    amount_store,
    case when is_test then 0 else 1 end as payments,
    case when status = 'failed' and not is_test then 1 else 0 end as failed_payments,
    case when status = 'captured' and not is_test then amount_store else 0 end as captured_store
from scoped
