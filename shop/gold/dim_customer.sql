select
    c.customer_id,
    coalesce(c.email, concat('customer-', cast(c.customer_id as string))) as person_key,
    c.country,
    c.is_guest,
    c.marketing_opt_in,
    c.email is not null as has_email,
    c.loyalty_since,
    c.created_at,
    to_date(from_utc_timestamp(c.created_at, '${store_time_zone}')) as created_date
from customers c
join scope s on s.customer_id = c.customer_id
