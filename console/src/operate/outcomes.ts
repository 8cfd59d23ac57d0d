/** What became of a request, in four classes that have a colour each. */

import type { Language } from '../language.ts';

export const outcomeClasses = ['live', 'attack', 'none', 'failed'] as const;
export type OutcomeClass = (typeof outcomeClasses)[number];

/** Of an outcome as the log has it: `none` is an answer without a verdict, `failed` one that is no answer. */
export function classOf(outcome: string): OutcomeClass {
  switch (outcome) {
    case 'live':
    case 'attack':
      return outcome;
    case 'no_face':
    case 'face_too_small':
    case 'too_many_faces':
    case 'image_too_small':
      return 'none';
    default:
      return 'failed';
  }
}

/** The class of its badge in `parts/styles.ts`. */
export const badgeOf: Readonly<Record<OutcomeClass, string>> = {
  live: 'live',
  attack: 'attack',
  none: 'unsure',
  failed: '',
};

export const classNames: Readonly<Record<Language, Readonly<Record<OutcomeClass, string>>>> = {
  en: { live: 'Live', attack: 'Attack', none: 'No verdict', failed: 'Not answered' },
  ko: { live: '실제 사람', attack: '위변조 공격', none: '판정 없음', failed: '오류·거절' },
};
