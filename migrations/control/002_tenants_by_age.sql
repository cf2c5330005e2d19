-- Operators list tenants oldest first, a page at a time: each page starts in this index where the one before ended.

create index tenants_by_age on registry.tenants (created_at, tenant_id);

comment on index registry.tenants_by_age is 'The order in which tenants are listed.';


select tenancy.seal('registry.tenants');
