select
    p.product_id,
    p.sku,
    p.title,
    p.category_id,
    coalesce(c.name, '(unknown)') as category_name,
    p.price,
    p.currency,
    p.is_active,
    p.weight_grams,
    p.created_at
from products p
join scope s on s.product_id = p.product_id
left join categories c on c.category_id = p.category_id
