/** The pages for who runs the server, in the order of the navigation. */

import type { Page } from '../page.ts';

export const pages: readonly Page[] = [];
