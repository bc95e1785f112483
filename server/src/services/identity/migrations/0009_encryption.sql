-- Begins rotations and shreds. It never reads a wrapped key.
grant select (workspace, version, kek, created_at), insert, delete on platform.data_key to damask_identity;
grant select, insert, update, delete on platform.index_key to damask_identity;
grant select, insert on platform.shredded_workspace to damask_identity;
grant select, insert, delete on platform.rotation to damask_identity;
grant select on platform.resealing to damask_identity;

-- A new data key: what older ones sealed is sealed anew, in one workspace at a time (policy own_rows).
grant select (workspace, name, id, client_secret), update (client_secret) on identity.identity_provider to damask_sealer;
