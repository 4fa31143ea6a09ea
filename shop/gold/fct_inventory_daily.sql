with daily as (
    select
        m.product_id,
        m.warehouse_id,
        to_date(from_utc_timestamp(m.moved_at, '${store_time_zone}')) as stock_date,
        sum(case when m.kind in ('opening', 'receipt') then m.quantity else 0 end) as received,
        sum(case when m.kind = 'return' then m.quantity else 0 end) as returned,
        sum(case when m.kind = 'correction' then m.quantity else 0 end) as corrected,
        -sum(case when m.kind = 'shipment' then m.quantity else 0 end) as shipped,
        sum(m.quantity) as moved
    from stock_movements m
    join scope s on s.product_id = m.product_id
    group by 1, 2, 3
),
running as (
    select
        *,
        sum(moved) over (partition by product_id, warehouse_id order by stock_date) as on_hand,
        lead(stock_date) over (partition by product_id, warehouse_id order by stock_date) as next_date
    from daily
)
select
    product_id,
    warehouse_id,
    stock_date,
    date_sub(next_date, 1) as held_until,
    next_date is null as is_newest,
    on_hand - moved as opening,
    received,
    returned,
    corrected,
    shipped,
    on_hand,
    case when on_hand <= 0 then 1 else 0 end as stock_outs
from running
