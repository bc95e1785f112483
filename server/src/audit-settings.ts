import { dirname, join } from 'node:path';
import type { Config } from './config.ts';
import { AppError } from './platform/app-error.ts';
import type { AuditSettings } from './services/identity/service.ts';

const secretForm = /^whsec_[A-Za-z0-9+/]{32,200}={0,2}$/;

/** Where the audit log goes beside the database. Errors: `invalid_request` for a receiver without a secret. */
export function auditSettingsOf({ audit, storage, egress }: Config): AuditSettings {
  const sends = audit.webhook !== undefined || audit.checkpoint_webhook !== undefined;
  if (sends && !secretForm.test(audit.webhook_secret ?? '')) {
    throw new AppError(
      'invalid_request',
      'DAMASK_AUDIT_WEBHOOK_SECRET has to be whsec_ and 24 random bytes or more in base64: `echo whsec_$(openssl rand -base64 32)`.',
    );
  }
  return {
    ...audit,
    checkpoints: audit.checkpoints ?? join(storage.data_dir, 'audit'),
    key_file: auditKeyFileOf({ audit, storage }),
    allow: egress.allow,
  };
}

/** Outside of the data folder, so that neither the database nor a copy of the data holds what signs. */
export function auditKeyFileOf({ audit, storage }: Pick<Config, 'audit' | 'storage'>): string {
  return audit.key_file ?? join(dirname(storage.key_file), 'audit-signing.key');
}
