// How long a text is and how many units it is charged (spec S20–S26). Pure: no page, no network.
// The twin of composing/parts.py, which is the authority; tests/composing/lengths.json holds both to the same figures.

export const GSM_SINGLE = 160;        // septets in a text of one part
export const GSM_PART = 153;          // septets in each part of a longer text (6-octet header, S23)
export const UCS2_SINGLE = 70;        // UTF-16 code units in a text of one part
export const UCS2_PART = 67;
export const MOST_PARTS = 3;
export const CHINA_SINGLE = 62;       // UTF-16 code units, any coding (S24)
export const CHINA_UNIT = 60;
export const CHINA_LONGEST = 459;

// 3GPP 23.038 §6.2.1 and §6.2.1.1: all of GSM but ESC, and those of it that take an escape and so count 2 septets
const OUTSIDE_GSM = new RegExp('[^' +
  '@£$¥èéùìòÇ\\nØø\\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,\\-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà' +
  '\\^{}\\\\\\[~\\]|€\\f]', 'gu');
const EXTENDED = /[\^{}\\[~\]|€\f]/g;
const ESCAPE = '\x1b';
const HALF_A_PAIR = /\p{Surrogate}/gu;

// Nothing but white space is no text; Python's str.isspace counts U+001C to U+001F too.
const BLANK = /^[\p{White_Space}\x1c-\x1f]*$/u;

// Characters that word processors put in, and what stands for them in GSM
const PLAIN = new Map(Object.entries({
  '‘': "'", '’': "'", '‚': "'", '′': "'", '`': "'", '´': "'",
  '“': '"', '”': '"', '„': '"', '″': '"', '«': '"', '»': '"',
  '‐': '-', '‑': '-', '‒': '-', '–': '-', '—': '-', '−': '-',
  '…': '...', '•': '-', '·': '.', '\u00a0': ' ', '\u2009': ' ', '\u202f': ' ', '\t': ' ',
  '\u200b': '', '\u200c': '', '\u200d': '', '\ufeff': '', '\u00ad': '',
}));

/** A line break is CR LF however it was typed (S22). */
export function withLineBreaks(text) {
  return text.replace(/\r\n?|\n/g, '\r\n');
}

/** The characters GSM cannot carry: [{character, codePoint, count, plain}], in order of first use. */
export function notInGsm(text) {
  const found = new Map();
  for (const [character] of text.matchAll(OUTSIDE_GSM)) {
    const entry = found.get(character) ?? {
      character,
      codePoint: 'U+' + character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0'),
      count: 0,
      plain: PLAIN.get(character),
    };
    entry.count += 1;
    found.set(character, entry);
  }
  return [...found.values()];
}

/** The text with typographic characters changed to their GSM form, and letters with loose accents to whole ones. */
export function inPlainCharacters(text) {
  return Array.from(text.normalize('NFC'), (character) => PLAIN.get(character) ?? character).join('');
}

/** Where each part ends if each takes all it can from `start` on and no escape or surrogate pair is split. */
function fewestEnds(codeUnits, room, isPair, start) {
  const ends = [];
  for (let from = start; from < codeUnits.length; from = ends.at(-1)) {
    const end = Math.min(from + room, codeUnits.length);
    ends.push(end < codeUnits.length && isPair(end) ? end - 1 : end);
  }
  return ends;
}

/** The ends, each moved before the grapheme it splits where that costs no part (S21). */
function endsAtGraphemes(codeUnits, room, isPair) {
  let ends = fewestEnds(codeUnits, room, isPair, 0);
  if (!('Segmenter' in Intl)) return ends; // the units are the same; only the preview's parts may differ
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(codeUnits);
  for (let place = 0; place < ends.length - 1; place += 1) {
    const whole = graphemes.containing(ends[place]).index;
    const moved = [...ends.slice(0, place), whole, ...fewestEnds(codeUnits, room, isPair, whole)];
    if (moved.length === ends.length) ends = moved; // never where the grapheme begins with the part or before it
  }
  return ends;
}

/**
 * Length of a text for Hong Kong, Macau and overseas (S20–S23).
 * Gives coding ('gsm' | 'ucs2'), length (septets or UTF-16 units), units (0 where there is no text), room (what fits
 * in those units), parts (length of each), tooLong, offenders (what made it Unicode).
 */
export function measure(text) {
  const body = withLineBreaks(text).replace(HALF_A_PAIR, '\ufffd'); // as a form sends it
  const offenders = notInGsm(body);
  const gsm = offenders.length === 0;
  const codeUnits = gsm ? body.replace(EXTENDED, `${ESCAPE}$&`) : body;
  const isPair = gsm
    ? (end) => codeUnits[end - 1] === ESCAPE
    : (end) => codeUnits.codePointAt(end - 1) > 0xffff;
  const [single, part] = gsm ? [GSM_SINGLE, GSM_PART] : [UCS2_SINGLE, UCS2_PART];
  const length = codeUnits.length;
  const ends = length <= single ? [length] : endsAtGraphemes(codeUnits, part, isPair);
  const units = BLANK.test(body) ? 0 : ends.length;
  return {
    coding: gsm ? 'gsm' : 'ucs2',
    length,
    units,
    room: units <= 1 ? single : Math.min(units, MOST_PARTS) * part,
    parts: ends.map((end, place) => end - (ends[place - 1] ?? 0)),
    tooLong: units > MOST_PARTS,
    offenders,
  };
}

/** Length of a text for China (S24): English and Unicode alike; the signature is sent and not counted. */
export function measureForChina(text) {
  const body = withLineBreaks(text);
  const length = body.length;
  let units = Math.ceil(length / CHINA_UNIT);
  if (length <= CHINA_SINGLE) units = 1;
  if (BLANK.test(body)) units = 0;
  const room = units <= 1 ? CHINA_SINGLE : Math.min(units * CHINA_UNIT, CHINA_LONGEST);
  return { length, units, room, tooLong: units > 0 && length > CHINA_LONGEST };
}
