-- The call that a run of one step begins with, as far as it is known when it is accepted. Who claims the run first notes it in
-- `calling` in the same commit, and need not commit it again before it goes out.
alter table pattern.task add column first_call jsonb;
