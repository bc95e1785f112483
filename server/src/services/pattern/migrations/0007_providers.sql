-- How a provider is spoken to and how much is asked of it. Providers of before spoke OpenAI's protocol.
alter table pattern.provider
  add column protocol text not null default 'openai',
  add column api_version text,
  add column limits jsonb not null default '{}',
  add column fallbacks jsonb not null default '[]',
  -- What it said itself when it was asked last; null: it did not say.
  add column offered jsonb;
