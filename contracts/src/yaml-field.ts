import { type TProperties, Type } from 'typebox';
import { ModelName } from './parameters.ts';

/** Fields of pattern.yaml. `lines` marks a text that may hold line breaks, `json` a value that is taken as JSON. */

// A scalar is read as it was typed, so that `3.10` stays `3.10` and `no` stays `no`; editors must not ask for quotes.
export const text = (maxLength: number, options: { pattern?: string; lines?: true; description?: string } = {}) =>
  Type.Unsafe<string>({ type: ['string', 'number', 'boolean'], minLength: 1, maxLength, ...options });

/** Kept with its white space, and it may be empty. */
export const raw = (maxLength: number, description: string) =>
  Type.Unsafe<string>({ type: ['string', 'number', 'boolean'], maxLength, lines: true, description });

export const mapping = <Fields extends TProperties>(fields: Fields, description?: string) =>
  Type.Object(fields, { additionalProperties: false, ...(description !== undefined && { description }) });

export const oneOf = <const Word extends string>(words: readonly Word[], description: string) =>
  Type.Unsafe<Word>({ enum: words, description });

export const filePath = (description: string) => text(255, { pattern: '^[^\\\\]+$', description });

export const jsonSchema = (description: string) => Type.Unsafe<object>({ type: 'object', json: true, description });

export const modelName = (description: string) => Type.Unsafe<string>({ ...ModelName, description });

export const variableName = '^[A-Za-z_][A-Za-z0-9_-]{0,99}$';
