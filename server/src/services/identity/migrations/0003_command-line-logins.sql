-- A command line that waits for a person to let it act for them.
create table identity.command_line_login (
  id uuid primary key,
  user_code text not null unique,
  -- SHA-256 of what only the command line knows, base64url.
  challenge text not null,
  name text not null,
  address text not null,
  -- Where it listens on the person's own machine; null: it asks from time to time.
  port int,
  state text,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  -- Who approved it, and how that one had signed in.
  account uuid references identity.account (id),
  way text,
  provider uuid,
  -- SHA-256 of what the browser brings to the port, base64.
  code_hash text
);
create index command_line_login_expires on identity.command_line_login (expires_at);
create index command_line_login_address on identity.command_line_login (address);
alter table identity.command_line_login enable row level security;
alter table identity.command_line_login force row level security;
create policy sign_in on identity.command_line_login to damask_identity
  using (current_setting('damask.role', true) = 'identity'
    and coalesce(current_setting('damask.workspace', true), '') = '');
grant select, insert, update (account, way, provider, code_hash), delete on identity.command_line_login
  to damask_identity;
