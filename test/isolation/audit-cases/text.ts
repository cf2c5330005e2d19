import { asOwner, type AuditCase, crm } from './audit-case.ts';

/** Of the owner and with the rights of its caller, who is the application unless told otherwise. */
const plain = (body: string, grantee = 'tenantry_app', language = 'plpgsql'): string =>
  `${crm} create role auditor; ${asOwner(`create function crm.rows_of(q text) returns setof text language ${language} as $$ ${body} $$;
    grant execute on function crm.rows_of to ${grantee}`)}`;

/** Functions that run SQL which they have as text. */
export const text: readonly AuditCase[] = [
  {
    class: 35,
    holes: [
      {
        title: 'a function that runs its argument, with the rights of its caller',
        plant: plain('begin return query execute q; end'),
        object: 'crm.rows_of(text)',
      },
      {
        title: 'the same, for everybody and by way of XML',
        plant: plain(`select query_to_xml(q, true, false, '')::text`, 'public', 'sql'),
        object: 'crm.rows_of(text)',
      },
      {
        title: 'the same for a second login of the application, with the cost set in the function',
        plant: `create role svc in role tenantry_app; ${plain('begin return query execute q; end', 'svc')}
          alter function crm.rows_of set cpu_operator_cost = 0`,
        object: 'crm.rows_of(text)',
      },
      {
        title: 'a function that follows a row to where its versions are',
        plant: plain(`select currtid2('pool.projects', q::tid)::text`, 'tenantry_app', 'sql'),
        object: 'crm.rows_of(text)',
      },
    ],
    nearMisses: [
      { title: 'one that application code cannot call', plant: plain('begin return query execute q; end', 'auditor') },
      {
        title: 'one that runs a constant',
        plant: plain(`begin return query execute 'select name from projects'; end`),
      },
      {
        title: 'one that has the kernel run its argument',
        plant: plain(
          `begin return query select r::text from tenancy.run(current_setting('tenancy.capability'), 'pool', q) r; end`,
        ),
      },
    ],
  },
];
