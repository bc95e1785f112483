import { type Static, Type } from 'typebox';
import { strict } from './field.ts';

/** Attachments of one run. Their bytes are bound by the run's body. */
export const mostAttachments = 20;

export const AttachmentType = Type.Union([Type.Literal('image'), Type.Literal('pdf'), Type.Literal('text')]);
export type AttachmentType = Static<typeof AttachmentType>;

const AttachmentName = Type.String({
  pattern: "^[\\p{L}\\p{N}_][\\p{L}\\p{M}\\p{N} ._()+,@#&'-]{0,199}$",
  description: 'The name of the file, without its folder.',
});

/** A file beside the input. `image` and `pdf` come as base64 in `data`, `text` as it is in `text`. */
export const Attachment = strict({
  type: AttachmentType,
  name: AttachmentName,
  media_type: Type.Optional(
    Type.String({
      pattern: '^[a-z0-9][a-z0-9.+-]{0,49}/[a-z0-9][a-z0-9.+-]{0,99}$',
      description: 'Of images and PDF it is read from the bytes; one that says otherwise is refused.',
    }),
  ),
  data: Type.Optional(Type.String({ minLength: 1, description: 'Base64.' })),
  text: Type.Optional(Type.String({ minLength: 1 })),
});
export type Attachment = Static<typeof Attachment>;

/** What is recorded of an attachment. Its bytes are kept, sealed, while all of a run have 1 MiB together at most. */
export const KeptAttachment = Type.Object({
  type: AttachmentType,
  name: Type.String(),
  media_type: Type.String(),
  bytes: Type.Integer(),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  kept: Type.Boolean({ description: 'Whether the bytes are kept.' }),
});
export type KeptAttachment = Static<typeof KeptAttachment>;

export const Attachments = Type.Array(Attachment, { minItems: 1, maxItems: mostAttachments });

/** BCP 47. */
export const LanguageTag = Type.String({
  pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$',
  description: 'Language of the answer as a BCP 47 tag: de, pt-BR. en adds no instruction.',
});
