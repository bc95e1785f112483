-- A new data key: what older ones sealed is sealed anew, in one workspace at a time (policy own_rows). The sealer sees what tells
-- rows apart and the sealed values, and nothing else.
grant select (workspace, name, api_key), update (api_key) on pattern.provider to damask_sealer;
grant select (workspace, name, content), update (content) on pattern.context to damask_sealer;
grant select (workspace, name, run), update (run) on pattern.timer to damask_sealer;
grant select (workspace, id, plan), update (plan) on pattern.batch to damask_sealer;
grant select (workspace, batch, first_line, content), update (content) on pattern.batch_chunk to damask_sealer;
grant select (workspace, batch, first_line, content), update (content) on pattern.batch_rejected to damask_sealer;
grant select (workspace, id, request), update (request) on pattern.task to damask_sealer;
grant select (workspace, run, path, payload, comment), update (payload, comment) on pattern.step to damask_sealer;
grant select (workspace, session, number, content), update (content) on pattern.turn to damask_sealer;
grant select (workspace, run, token, attempt, start, piece), update (piece) on pattern.run_output to damask_sealer;
grant select (workspace, id, payload), update (payload) on pattern.finished to damask_sealer;
grant select (workspace, subject, wrapped), update (wrapped) on pattern.subject_key to damask_sealer;
grant select (workspace, name, subject_name), update (subject_name) on pattern.legal_hold to damask_sealer;

-- Append-only for everybody else. An update that names no column needs no leave to read, so own_rows alone would not bind it.
create policy sealer_updates on pattern.finished for update to damask_sealer
  using (current_setting('damask.role', true) = 'sealer'
    and workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy sealer_updates on pattern.run_output for update to damask_sealer
  using (current_setting('damask.role', true) = 'sealer'
    and workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
