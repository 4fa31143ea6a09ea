select
    e.event_date,
    e.product_id,
    e.channel,
    e.ship_country,
    count(distinct case when e.event_type = 'sale' then e.order_id end) as orders,
    sum(case when e.event_type = 'sale' then e.quantity else 0 end) as units_sold,
    -sum(case when e.event_type = 'return' then e.quantity else 0 end) as units_returned,
    sum(case when e.event_type = 'sale' then e.amount_store else 0 end) as gross_sales,
    -sum(case when e.event_type = 'discount' then e.amount_store else 0 end) as discounts,
    -sum(case when e.event_type = 'return' then e.amount_store else 0 end) as returns,
    -sum(case when e.event_type = 'cancellation' then e.amount_store else 0 end) as cancellations,
    sum(e.amount_store) as net_sales
from fct_sales_event e
join scope s on s.event_date = e.event_date
where e.is_counted
group by e.event_date, e.product_id, e.channel, e.ship_country
