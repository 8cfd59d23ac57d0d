/** The log in the admin API: found, listed, exported as a stream and deleted. */

import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import type { Storage } from '../../storage/database.ts';
import { toRecord, toText } from '../../storage/export.ts';
import type { Keys } from '../../storage/keys.ts';
import { Transactions } from '../../storage/transactions.ts';
import { RequestError } from '../errors.ts';
import * as examples from './examples.ts';
import {
  Deleted,
  ExportQuery,
  exported,
  filterOf,
  limitOf,
  one,
  operation,
  TagQuery,
  TransactionBody,
  TransactionParams,
  Transactions as TransactionsPage,
  TransactionsQuery,
} from './wire.ts';

interface One {
  Params: Static<typeof TransactionParams>;
}

const mediaTypes = { csv: 'text/csv; charset=utf-8', ndjson: 'application/x-ndjson' } as const;

export function describeTransactions(app: FastifyInstance, { db }: Storage, keys: Keys): void {
  const transactions = new Transactions(db);

  app.get<{ Querystring: Static<typeof TransactionsQuery> }>(
    '/transactions',
    {
      schema: {
        ...operation(
          'listTransactions',
          'List the transactions',
          one(TransactionsPage, { transactions: [examples.transaction] }),
          ['404'],
        ),
        description:
          'Newest first. An answer is in the list within a second of being sent. The picture itself is never kept, only its SHA-256.',
        querystring: TransactionsQuery,
      },
    },
    async ({ query }) => {
      const page = await transactions.list(
        filterOf(query, await keys.idOf(query.app)),
        limitOf(query),
        query.cursor,
      );
      return { transactions: page.transactions.map(toRecord), next: page.next };
    },
  );

  app.get<{ Querystring: Static<typeof ExportQuery> }>(
    '/transactions/export',
    {
      schema: {
        ...operation('exportTransactions', 'Export transactions as a stream', exported, ['404']),
        description:
          'All that the filters let through, newest first, as it is read: however much it is, it needs little memory.',
        querystring: ExportQuery,
      },
    },
    async ({ query }, reply) => {
      const { format } = query;
      const filter = filterOf(query, await keys.idOf(query.app));
      const stream = Readable.from(toText(transactions.export(filter), format));
      return await reply
        .type(mediaTypes[format])
        .header('content-disposition', `attachment; filename="transactions.${format}"`)
        .send(stream);
    },
  );

  app.get<One>(
    '/transactions/:transaction',
    {
      schema: {
        ...operation('getTransaction', 'Find a transaction', one(TransactionBody, examples.transaction), [
          '404',
        ]),
        description: 'By the id that its answer had, in the header `x-request-id`.',
        params: TransactionParams,
      },
    },
    async ({ params }) => {
      const found = await transactions.find(params.transaction);
      if (found === undefined) throw notFound(params.transaction);
      return toRecord(found);
    },
  );

  app.delete<One>(
    '/transactions/:transaction',
    {
      schema: {
        ...operation('deleteTransaction', 'Delete a transaction', one(Deleted, { deleted: 1 }), ['404']),
        description: 'What usage counts stays: it holds nothing of a person.',
        params: TransactionParams,
      },
    },
    async ({ params }) => {
      if (!(await transactions.delete(params.transaction))) throw notFound(params.transaction);
      return { deleted: 1 };
    },
  );

  app.delete<{ Querystring: Static<typeof TagQuery> }>(
    '/transactions',
    {
      schema: {
        ...operation('deleteTransactions', 'Delete what carries a tag', one(Deleted, { deleted: 3 }), [
          '404',
        ]),
        description:
          'All that carry this tag, of all apps or of one: what somebody may ask for whom it was about.',
        querystring: TagQuery,
      },
    },
    async ({ query }) => ({ deleted: await transactions.deleteByTag(query.tag, await keys.idOf(query.app)) }),
  );
}

function notFound(id: string): RequestError {
  return new RequestError('not_found', `There is no transaction "${id.slice(0, 40)}".`);
}
