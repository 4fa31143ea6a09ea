select
    trunc(d.event_date, 'MM') as event_month,
    d.product_id,
    coalesce(d.channel, '*') as channel,
    coalesce(d.ship_country, '*') as ship_country,
    sum(d.units_sold) as units_sold,
    sum(d.units_returned) as units_returned,
    sum(d.gross_sales) as gross_sales,
    sum(d.discounts) as discounts,
    sum(d.returns) as returns,
    sum(d.cancellations) as cancellations,
    sum(d.net_sales) as net_sales
from agg_sales_daily d
join scope s on s.event_month = trunc(d.event_date, 'MM')
group by trunc(d.event_date, 'MM'), d.product_id, cube(d.channel, d.ship_country)
