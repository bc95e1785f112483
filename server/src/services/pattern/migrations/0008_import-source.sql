-- git's own names of what an import took: the commit, and the blob of system.md.
alter table pattern.version add column source_commit text;
alter table pattern.version add column source_blob text;
