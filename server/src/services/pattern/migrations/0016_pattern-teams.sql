-- The team that owns a pattern, by its name: teams are identity's.
alter table pattern.pattern add column team text collate "C";
grant update (team) on pattern.pattern to damask_pattern;
