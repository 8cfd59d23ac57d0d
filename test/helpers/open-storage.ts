/** A process that opens a database when it is told to, and ends. */

import { once } from 'node:events';
import { openStorage } from '../../src/storage/database.ts';

const [folder = '', url] = process.argv.slice(2);
process.send?.('ready');
await once(process, 'message');
await (await openStorage({ folder, url, create: true })).close();
process.disconnect();
