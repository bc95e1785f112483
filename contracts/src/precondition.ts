import { Type } from 'typebox';

/** Writes only over what the caller has read: entity tags of the thing's own read (RFC 9110, 13.1.1). */
export const ifMatch = {
  if_match: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1000, description: 'ETag of the read that this write builds on, or *.' }),
  ),
};
export const ifMatchHeader = { 'if-match': 'if_match' } as const;
