-- Operators list tenants oldest first, a page at a time: each page starts in this index where the one before ended.

create index tenants_by_age on registry.tenants (created_at, tenant_id);

comment on index registry.tenants_by_age is 'The order in which tenants are listed.';


-- What a list is filtered by comes first, so that a page of few tenants among many is found as fast.

create index tenants_by_state on registry.tenants (state, created_at, tenant_id);
create index tenants_by_plan on registry.tenants (plan, created_at, tenant_id);
create index tenants_by_model on registry.tenants (model, created_at, tenant_id);
create index tenants_by_cluster on registry.tenants (cluster, created_at, tenant_id);

comment on index registry.tenants_by_state is 'The order in which tenants of a state are listed.';
comment on index registry.tenants_by_plan is 'The order in which tenants of a plan are listed.';
comment on index registry.tenants_by_model is 'The order in which tenants of a placement model are listed.';
comment on index registry.tenants_by_cluster is 'The order in which tenants of a cluster are listed.';


select tenancy.seal('registry.tenants');
