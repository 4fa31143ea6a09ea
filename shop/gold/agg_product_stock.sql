with newest as (
    select max(event_date) as as_of_date from fct_sales_event where event_type = 'sale' and is_counted
),
sold as (
    select
        e.product_id,
        max(case when e.event_type = 'sale' then e.event_date end) as last_sold_date,
        sum(case when e.event_type = 'sale' and e.event_date > date_sub(n.as_of_date, 28) then e.quantity else 0 end) as units,
        sum(case when e.event_date > date_sub(n.as_of_date, 28) then e.amount_store else 0 end) as revenue
    from fct_sales_event e
    cross join newest n
    where e.event_type in ('sale', 'discount') and e.is_counted
    group by e.product_id
),
stock as (
    select
        f.product_id,
        sum(case when f.is_newest then f.on_hand else 0 end) as on_hand,
        -- the row that held at the end of the day before the window
        sum(
            case
                when f.stock_date <= date_sub(n.as_of_date, 28) and coalesce(f.held_until, n.as_of_date) >= date_sub(n.as_of_date, 28)
                    then f.on_hand
                else 0
            end
        ) as opening,
        sum(case when f.stock_date > date_sub(n.as_of_date, 28) then f.received else 0 end) as received
    from fct_inventory_daily f
    cross join newest n
    group by f.product_id
),
levels as (
    select product_id, sum(committed) as committed from inventory_levels group by product_id
),
joined as (
    select
        p.product_id,
        n.as_of_date,
        p.is_active,
        p.price,
        coalesce(k.on_hand, 0) as on_hand,
        coalesce(l.committed, 0) as committed,
        coalesce(k.on_hand, 0) - coalesce(l.committed, 0) as available,
        cast(coalesce(s.units, 0) as int) as units,
        coalesce(s.revenue, 0) as revenue,
        greatest(coalesce(k.opening, 0), 0) as opening,
        coalesce(k.received, 0) as received,
        s.last_sold_date
    from products p
    cross join newest n
    left join sold s on s.product_id = p.product_id
    left join stock k on k.product_id = p.product_id
    left join levels l on l.product_id = p.product_id
),
ranked as (
    select
        *,
        case when units > 0 then cast(greatest(available, 0) as decimal(18, 4)) * 28 / units end as days,
        sum(revenue) over (order by revenue desc, product_id) - revenue as before,
        sum(revenue) over () as everything
    from joined
)
select
    product_id,
    as_of_date,
    is_active,
    price,
    on_hand,
    committed,
    available,
    greatest(on_hand, 0) * price as stock_value,
    greatest(-on_hand, 0) as oversold_units,
    case when is_active then 1 else 0 end as products,
    case when is_active and available <= 0 then 1 else 0 end as stock_out_products,
    units as units_sold_28d,
    revenue as revenue_28d,
    cast(units as decimal(18, 4)) / 28 as mean_daily_units,
    days as days_of_inventory,
    case
        when available <= 0 then 'sold out'
        when days is null then 'no demand'
        when days < 7 then 'below 7 days'
        when days < 28 then '7 to 27 days'
        when days < 90 then '28 to 89 days'
        else '90 days or more'
    end as cover,
    opening as opening_28d,
    received as received_28d,
    opening + received as offered_28d,
    case
        when revenue <= 0 then 'C'
        when before < everything * 0.80 then 'A'
        when before < everything * 0.95 then 'B'
        else 'C'
    end as abc_class,
    last_sold_date,
    datediff(as_of_date, last_sold_date) as days_since_sale
from ranked
