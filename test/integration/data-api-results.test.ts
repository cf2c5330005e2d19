import type { ColumnMetadata } from '@aws-sdk/client-rds-data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestDataApi, type TestDataApi } from '../helpers/data-api.ts';

let data: TestDataApi;
beforeAll(async () => {
  data = await startTestDataApi();
});
afterAll(() => data[Symbol.asyncDispose]());

describe('a result', () => {
  it('tells how many rows a change touched, and returns no records', async () => {
    await data.execute('create table counted (id int)');
    const { $metadata, ...inserted } = await data.execute('insert into counted values (1), (2)');
    expect($metadata.httpStatusCode).toBe(200);
    expect(inserted).toEqual({ numberOfRecordsUpdated: 2, generatedFields: [] });
    expect(await data.execute('update counted set id = 3 where id > 1')).toMatchObject({ numberOfRecordsUpdated: 1 });
    expect(await data.execute('delete from counted')).toMatchObject({ numberOfRecordsUpdated: 2 });
  });

  it('has the rows of a RETURNING clause instead of a count', async () => {
    await data.execute('create table returned (id serial, name text)');
    const answer = await data.execute("insert into returned (name) values ('a') returning id");
    expect(answer).toMatchObject({ records: [[{ longValue: 1 }]], numberOfRecordsUpdated: 0 });
  });

  it('describes its columns when asked to', async () => {
    await data.execute(
      'create table described (id bigserial primary key, price numeric(10, 2), code varchar(20) not null)',
    );
    const { columnMetadata } = await data.execute('select id, price, code as label, 1 + 1 as sum from described', [], {
      includeResultMetadata: true,
    });
    const common = { schemaName: '', arrayBaseColumnType: 0, isCurrency: false };
    expect(columnMetadata).toEqual<ColumnMetadata[]>([
      {
        ...common,
        name: 'id',
        label: 'id',
        tableName: 'described',
        type: -5,
        typeName: 'bigserial',
        isAutoIncrement: true,
        isSigned: true,
        isCaseSensitive: false,
        nullable: 0,
        precision: 19,
        scale: 0,
      },
      {
        ...common,
        name: 'price',
        label: 'price',
        tableName: 'described',
        type: 2,
        typeName: 'numeric',
        isAutoIncrement: false,
        isSigned: true,
        isCaseSensitive: false,
        nullable: 1,
        precision: 10,
        scale: 2,
      },
      {
        ...common,
        name: 'label',
        label: 'label',
        tableName: 'described',
        type: 12,
        typeName: 'varchar',
        isAutoIncrement: false,
        isSigned: false,
        isCaseSensitive: true,
        nullable: 0,
        precision: 20,
        scale: 0,
      },
      {
        ...common,
        name: 'sum',
        label: 'sum',
        tableName: '',
        type: 4,
        typeName: 'int4',
        isAutoIncrement: false,
        isSigned: true,
        isCaseSensitive: false,
        nullable: 2,
        precision: 10,
        scale: 0,
      },
    ]);
  });

  it('can be one JSON text, without records and metadata', async () => {
    const sql = `select 1.50 as n, 9007199254740993 as big, null as nothing, true as yes, array[1] as list, '{"a":1}'::jsonb as j`;
    const answer = await data.execute(sql, [], { formatRecordsAs: 'JSON', includeResultMetadata: true });
    expect(answer.formattedRecords).toBe(
      '[{"n":1.50,"big":9007199254740993,"nothing":null,"yes":true,"list":[1],"j":"{\\"a\\": 1}"}]',
    );
    expect(answer).not.toHaveProperty('records');
    expect(answer).not.toHaveProperty('columnMetadata');
  });
});
