/** The documents say what the code says: tables, models, examples, links and paths are held against their sources. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { describeSettings, type SettingName, settings } from '../../src/config.ts';
import { qualityLimits } from '../../src/liveness/quality.ts';
import { operatingPointNames } from '../../src/liveness/types.ts';
import { models, profiles } from '../../src/models/catalog.ts';
import { loadRegistry } from '../../src/models/registry.ts';

const root = join(import.meta.dirname, '..', '..');

/** Every document that a reader of the repository is meant to read, by its path from the root. */
const names = [
  ...(await readdir(root)).filter((name) => name.endsWith('.md')),
  ...(await readdir(join(root, 'docs'), { recursive: true }))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`),
];
const documents = new Map(
  await Promise.all(
    names.map(async (name) => [name, await readFile(join(root, name), 'utf8')] as [string, string]),
  ),
);
const read = (name: string) => documents.get(name) ?? assert.fail(`${name} is missing.`);

/** What stands in a document between `<!-- name -->` and `<!-- /name -->`. */
function between(document: string, name: string): string {
  const [, found] = new RegExp(`<!-- ${name} -->\n(.*?)<!-- /${name} -->`, 's').exec(read(document)) ?? [];
  return found ?? assert.fail(`${document} has no part marked ${name}.`);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('');
}

function isWritten(document: string, name: string, right: string): void {
  const message = `Between <!-- ${name} --> and <!-- /${name} --> of ${document} must stand:\n\n${right}`;
  assert.ok(between(document, name) === right, message);
}

describe('the README', () => {
  it('lists the settings as config.ts has them', () => {
    const rows = describeSettings(Object.keys(settings) as SettingName[]).map((row) => [
      `\`${row.env}\``,
      `\`${row.flag}\``,
      row.default,
      row.doc,
    ]);
    isWritten('README.md', 'settings', table(['Variable', 'Flag', 'Default', 'Meaning'], rows));
  });

  it('lists the operating points as the catalog has them', () => {
    const percent = (rate: number) => `${(100 * rate).toFixed(1)} %`;
    const rows = profiles.flatMap(({ id, operatingPoints }) =>
      operatingPointNames.map((name) => {
        const { threshold, apcer, bpcer } = operatingPoints[name];
        return [`\`${id}\``, name, `${threshold}`, percent(apcer), percent(bpcer)];
      }),
    );
    const head = ['Profile', 'Operating point', 'P(live) from', 'APCER', 'BPCER'];
    isWritten('README.md', 'operating-points', table(head, rows));
  });
});

describe('ARCHITECTURE.md', () => {
  it('shows every source file in its tree, and no other', async () => {
    const [, tree] = /## The tree\n\n```\n(.*?)```/s.exec(read('ARCHITECTURE.md')) ?? [];
    const shown = new Set(tree?.match(/[\w-]+(?:\.d)?\.ts\b/g));
    const files = [
      ...(await readdir(join(root, 'src'), { recursive: true })),
      ...(await readdir(join(root, 'scripts'))),
    ];
    const written = new Set(files.filter((name) => name.endsWith('.ts')).map((name) => basename(name)));
    assert.deepEqual([...shown].sort(), [...written].sort());
  });
});

describe('THIRD_PARTY_MODELS.md', () => {
  const [, ...sections] = read('THIRD_PARTY_MODELS.md').split(/^## /m);

  for (const { id, licence, sha256, source } of models) {
    it(`names the licence, the source and the SHA-256 of ${id}`, () => {
      const section = sections.find((text) => text.startsWith(`${id}\n`)) ?? assert.fail(`no section ${id}`);
      const from = source === undefined ? [] : 'npm' in source ? [source.npm, source.path] : [source.url];
      for (const fact of [licence, sha256, ...from]) assert.ok(section.includes(fact), fact);
    });
  }

  it('has no section for a model that the catalog does not have', () => {
    const ids = new Set(models.map(({ id }) => id));
    const titles = sections.map((text) => text.split('\n', 1).join());
    assert.deepEqual(
      titles.filter((title) => /^[a-z0-9-]+$/.test(title) && !ids.has(title)),
      [],
    );
  });
});

describe('docs/models.md', () => {
  it('states every quality limit as the engine has it', () => {
    const text = read('docs/models.md');
    for (const [code, limit] of Object.entries(qualityLimits)) {
      assert.match(text, new RegExp(`^\\| \`${code}\` \\| (picture|face) \\| ${limit} \\|`, 'm'));
    }
  });

  it('describes a model and a profile of one\u2019s own that the registry takes', async () => {
    const examples = read('docs/models.md').matchAll(
      /`([\w-]+\.(?:model|profile)\.json)`:\n\n```json\n(.*?)```/gs,
    );
    const folder = await mkdtemp(join(tmpdir(), 'bonafide-docs-'));
    try {
      for (const [, name, text] of examples) await writeFile(join(folder, name as string), text as string);
      const ids = (await readdir(folder)).map((name) => name.replace(/\.\w+\.json$/, ''));
      const registry = await loadRegistry(folder);
      const own = ids.filter((id) => registry.profiles.has(id)).map((id) => registry.profile(id));
      assert.equal(ids.length, 2, `${ids}`);
      assert.ok(own[0]?.models.some(({ id }) => ids.includes(id)));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('every document', () => {
  for (const [name, text] of documents) {
    it(`links to what there is: ${name}`, () => {
      const prose = text.replace(/^```.*?^```/gms, '');
      const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string);
      const broken = targets
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const [path, anchor] = target.split('#') as [string, string?];
          const file = path === '' ? name : join(dirname(name), path);
          if (!existsSync(join(root, file))) return true;
          return anchor !== undefined && !headings(read(file)).includes(anchor);
        });
      assert.deepEqual(broken, []);
    });

    it(`names only files that there are: ${name}`, () => {
      const paths = [...text.matchAll(/`((?:src|test|bin|scripts|docs|assets)\/[\w./-]*)`/g)];
      const absent = paths.map(([, path]) => path as string).filter((path) => !existsSync(join(root, path)));
      assert.deepEqual(absent, []);
    });

    it(`names no place of the machine it was written on: ${name}`, () => {
      // Written so that these words themselves are not found here.
      const places = [
        /(?<![\w.])\/(?:work|farm|root|tmp|home|Users)\//,
        /\bregistry\.[\w-]+\.\w+/,
        /\.\.\/shared/,
      ];
      const found = places.map((place) => place.exec(text)?.[0]).filter((match) => match !== undefined);
      assert.deepEqual(found, []);
    });
  }
});

/** The anchors that GitHub gives to the headings of a document. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    (title as string)
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
