/** The pages for who runs the server, in the order of the navigation. */

import type { Page } from '../page.ts';

export const pages: readonly Page[] = [
  {
    path: '/apps',
    title: { en: 'Apps', ko: '앱과 키' },
    tag: 'bonafide-apps',
    load: () => import('./apps.ts'),
  },
  {
    path: '/usage',
    title: { en: 'Usage', ko: '사용량' },
    tag: 'bonafide-usage',
    load: () => import('./usage.ts'),
  },
  {
    path: '/transactions',
    title: { en: 'Transactions', ko: '거래 내역' },
    tag: 'bonafide-transactions',
    load: () => import('./transactions.ts'),
  },
  {
    path: '/models',
    title: { en: 'Models', ko: '모델' },
    tag: 'bonafide-models',
    load: () => import('./models.ts'),
  },
  {
    path: '/reports',
    title: { en: 'Reports', ko: '평가 보고서' },
    tag: 'bonafide-reports',
    load: () => import('./reports.ts'),
  },
];
