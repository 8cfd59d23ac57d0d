/** Evaluation reports in the admin API: which there are, their figures, and the page itself. */

import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { RequestError } from '../errors.ts';
import type { Reports } from '../reports.ts';
import * as examples from './examples.ts';
import { one, operation, ReportParams, ReportsBody, reportFigures, reportPage } from './wire.ts';

interface One {
  Params: Static<typeof ReportParams>;
}

/**
 * What a report may do in a browser: be looked at, by the console. It is one file with its styles and pictures inside,
 * and names and words in it come from a manifest. `sandbox` makes it a stranger to this origin, without scripts.
 */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox";

export function describeReports(app: FastifyInstance, reports: Reports): void {
  app.get(
    '/reports',
    {
      schema: {
        ...operation(
          'listReports',
          'List the evaluation reports',
          one(ReportsBody, { reports: [examples.report] }),
        ),
        description:
          'Those of the product, and those in the folder `evaluations` of the data folder, each a folder that `bonafide evaluate` wrote.',
      },
    },
    async () => ({ reports: await reports.list() }),
  );

  app.get<One>(
    '/reports/:origin/:report',
    {
      schema: {
        ...operation('getReport', 'The figures of an evaluation', reportFigures, ['404']),
        description: 'report.json as it was written; docs/evaluation.md says how its figures are made.',
        params: ReportParams,
      },
    },
    async ({ params }, reply) => {
      const figures = await reports.figures(params.origin, params.report);
      if (figures === undefined) throw notFound(params.report);
      return await reply.type('application/json; charset=utf-8').send(figures);
    },
  );

  app.get<One>(
    '/reports/:origin/:report/page',
    {
      schema: {
        ...operation('getReportPage', 'The report of an evaluation, to look at', reportPage, ['404']),
        description: 'report.html as it was written, under a policy that lets it run and load nothing.',
        params: ReportParams,
      },
    },
    async ({ params }, reply) => {
      const page = await reports.page(params.origin, params.report);
      if (page === undefined) throw notFound(params.report);
      return await reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', policy)
        .send(page);
    },
  );
}

function notFound(name: string): RequestError {
  return new RequestError('not_found', `There is no report "${name}".`);
}
