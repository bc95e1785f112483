/** The system.md of a new pattern. */
export function patternText(title: string): string {
  return `# IDENTITY and PURPOSE

You are an expert in what this pattern is for: ${title.toLowerCase()}. Say here who the model is and what it is to achieve.

# STEPS

- Read the whole input.
- Say here what to do with it, one step on a line.

# OUTPUT INSTRUCTIONS

- Say here what the answer looks like.
- Write Markdown, without a preface and without a closing remark.

# INPUT
`;
}

/** The pattern.yaml of a new pattern: every line that is not needed is a comment. */
export function patternYaml(title: string): string {
  return `# What Damask should know about this pattern. Every line may go; docs/reference/pattern-format.md has them all.
title: ${JSON.stringify(title)}
# description: What it is for, in one sentence.
# tags: [WRITING]

# A variable stands in system.md as {{tone}}; -v tone=dry gives it a value.
# variables:
#   tone:
#     description: How it sounds.
#     type: enum
#     values: [formal, friendly, dry]
#     default: friendly

# The model of runs that name none, and what to try when it fails.
# model: openai/gpt-5-mini
# fallbacks: [anthropic/claude-haiku-4-5, ollama/llama3.2]
# parameters:
#   temperature: 0.3
#   max_tokens: 2000

# What the answer has to be: markdown, text, or json with a schema.
# output:
#   type: json
#   schema:
#     type: object
#     properties: {summary: {type: string}}
#     required: [summary]

# Inputs that show what it does.
# examples:
#   - name: short
#     input: A text to try it on.
`;
}

/** The pattern.yaml of a new chain: it runs as it is, and its comments say what else a step takes. */
export function chainYaml(title: string): string {
  return `# A chain: steps that run other patterns. docs/reference/chains.md has every key.
title: ${JSON.stringify(title)}
# description: What it is for, in one sentence.

# variables:
#   language: { default: English }

# A step takes the input of the chain unless it says something else. Steps that do not need each other run at once.
steps:
  summary:
    pattern: summarize
  claims:
    pattern: check_claims
    # retry: { times: 2, wait_ms: 2000 }
    # on_error: skip
  # A person decides, for days if need be; the run holds nothing meanwhile.
  # ok:
  #   approval: { message: [Send this?, $steps.summary.output] }
  mail:
    pattern: answer_mail
    input:
      - Write a short mail with this summary, and say which claims need a source.
      - $steps.summary.output
      - $steps.claims.output
    # when: { ref: $steps.claims.output, exists: true }
    # model: openai/gpt-5-mini

# What the chain answers.
output: $steps.mail.output
`;
}
