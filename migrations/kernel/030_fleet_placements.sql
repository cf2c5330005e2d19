-- What an operator sees of the fleet.

create view tenancy.fleet_placements as
  select t.target::text as placement, d.version, d.applied, l.lacks, l.missing, d.withdrawn, f.version as failed, f.sqlstate, f.error, f.failed_at
  from tenancy.fleet t
  cross join lateral (
    select max(m.version collate "C") filter (where m.state = 'done') as version,
      count(*) filter (where m.state = 'done') as applied,
      coalesce((array_agg(m.version order by m.version collate "C") filter (where p.version is null and m.state <> 'failed'))[1:20],
        '{}') as withdrawn
    from tenancy.migrations m left join tenancy.migration_files p on p.version = m.version and not p.withdrawn
    where m.target = t.target
  ) d
  cross join lateral (
    select count(*) as lacks, coalesce((array_agg(p.version order by p.version collate "C"))[1:20], '{}') as missing
    from tenancy.migration_files p
    where not p.withdrawn and not exists (
      select from tenancy.migrations a where a.target = t.target and a.version = p.version and a.state = 'done'
    )
  ) l
  left join lateral (
    select m.version, m.sqlstate, m.error, m.applied_at as failed_at
    from tenancy.migrations m join tenancy.migration_files p on p.version = m.version and not p.withdrawn
    where m.target = t.target and m.state = 'failed' order by m.version collate "C" limit 1
  ) f on true;
comment on view tenancy.fleet_placements is
  'Each placement with its newest version, how much it lacks up to that and beyond, the first 20 of that, the first 20 of what it has, or has begun with, though the newest deployment has no such file, and what has failed '
  'there since.';

select tenancy.seal('tenancy.fleet_placements');
