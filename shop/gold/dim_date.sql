with years as (
    select year(event_date) as year from fct_sales_event
    union
    select year(event_date) + 1 from fct_sales_event
),
days as (
    select y.year, explode(sequence(make_date(y.year, 1, 1), make_date(y.year, 12, 31))) as date_day
    from years y
    join scope s on s.year = y.year
)
select
    date_day,
    year,
    quarter(date_day) as quarter,
    month(date_day) as month,
    trunc(date_day, 'MM') as month_start,
    date_format(date_day, 'MMMM') as month_name,
    weekofyear(date_day) as iso_week,
    date_sub(date_day, weekday(date_day)) as week_start,
    day(date_day) as day_of_month,
    weekday(date_day) + 1 as day_of_week,
    date_format(date_day, 'EEEE') as day_name,
    weekday(date_day) >= 5 as is_weekend,
    cast(
        (
            unix_timestamp(to_utc_timestamp(cast(date_add(date_day, 1) as timestamp), '${store_time_zone}'))
            - unix_timestamp(to_utc_timestamp(cast(date_day as timestamp), '${store_time_zone}'))
        ) div 3600 as int
    ) as hours_in_day
from days
