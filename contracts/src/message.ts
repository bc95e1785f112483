import { type Static, Type } from 'typebox';

/** A piece of a message. `data` is base64; which pieces a model takes is the model's own affair. */
export const ContentPart = Type.Union([
  Type.Object({ type: Type.Literal('text'), text: Type.String() }),
  Type.Object({ type: Type.Literal('image'), media_type: Type.String(), data: Type.String() }),
  Type.Object({
    type: Type.Literal('document'),
    media_type: Type.Literal('application/pdf'),
    name: Type.String(),
    data: Type.String(),
  }),
]);
export type ContentPart = Static<typeof ContentPart>;

/** A call that a model asks for. Nobody here executes it: the caller does, and sends the answer back. */
export const ToolCall = Type.Object({
  id: Type.String(),
  name: Type.String(),
  arguments: Type.String({ description: 'JSON as the model wrote it; it may be broken.' }),
});
export type ToolCall = Static<typeof ToolCall>;

export const ToolName = Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' });

/** A tool that a model may ask to be called. `parameters` is a JSON Schema of an object. */
export const Tool = Type.Object(
  {
    name: ToolName,
    description: Type.Optional(Type.String({ maxLength: 10_000 })),
    parameters: Type.Object({}, { additionalProperties: true }),
  },
  { additionalProperties: false },
);
export type Tool = Static<typeof Tool>;

/** `auto`: the model decides; `required`: it must call one; `name`: it must call this one. */
export const ToolChoice = Type.Union([
  Type.Literal('auto'),
  Type.Literal('none'),
  Type.Literal('required'),
  Type.Object({ name: ToolName }, { additionalProperties: false }),
]);
export type ToolChoice = Static<typeof ToolChoice>;

/** What a model asked for in answer to the same request, and what came of it; sent along so that it can go on. */
export const ToolTurn = Type.Object(
  {
    content: Type.Optional(Type.String({ description: 'What the model said beside its calls.' })),
    tool_calls: Type.Array(
      Type.Object(
        {
          id: Type.String({ minLength: 1, maxLength: 500 }),
          name: ToolName,
          arguments: Type.String({ maxLength: 1024 * 1024 }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 128 },
    ),
    results: Type.Array(
      Type.Object(
        { tool_call_id: Type.String({ minLength: 1, maxLength: 500 }), content: Type.String() },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 128 },
    ),
  },
  { additionalProperties: false },
);
export type ToolTurn = Static<typeof ToolTurn>;

/** One message to a model. An `assistant` may hold what it asked for, a `tool` message holds the answer to one call. */
export const Message = Type.Object({
  role: Type.Union([Type.Literal('system'), Type.Literal('user'), Type.Literal('assistant'), Type.Literal('tool')]),
  content: Type.Union([Type.String(), Type.Array(ContentPart)]),
  tool_calls: Type.Optional(Type.Array(ToolCall)),
  tool_call_id: Type.Optional(Type.String()),
});
export type Message = Static<typeof Message>;
