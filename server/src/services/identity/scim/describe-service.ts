import { scimBodyLimit, scimPageLimit, scimSchemas } from '@damask/contracts/scim.ts';
import { scimAddress } from './describe-user.ts';

type Described = Record<string, unknown>;

/** What of SCIM is spoken here (RFC 7643, 5). */
export function describeConfig(publicUrl: string | null): Described {
  return {
    schemas: [scimSchemas.config],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: scimBodyLimit },
    filter: { supported: true, maxResults: scimPageLimit },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: false },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'API key',
        description: 'An API key with the permission scim:write, in the header "Authorization: Bearer dmk_...".',
        primary: true,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: scimAddress(publicUrl, 'ServiceProviderConfig') },
  };
}

export function describeResourceTypes(publicUrl: string | null): Described[] {
  return [
    { id: 'User', endpoint: '/Users', description: 'People of the workspace', schema: scimSchemas.user },
    { id: 'Group', endpoint: '/Groups', description: 'Groups of the directory', schema: scimSchemas.group },
  ].map((one) => ({
    schemas: [scimSchemas.resourceType],
    name: one.id,
    ...one,
    meta: { resourceType: 'ResourceType', location: scimAddress(publicUrl, `ResourceTypes/${one.id}`) },
  }));
}

/** Attributes that are kept (RFC 7643, 7); whatever else a directory sends is passed over. */
export function describeSchemas(publicUrl: string | null): Described[] {
  const user = [
    attribute('userName', { required: true, uniqueness: 'server' }),
    attribute('externalId', { caseExact: true }),
    attribute('name', {
      type: 'complex',
      subAttributes: [attribute('formatted'), attribute('givenName'), attribute('familyName')],
    }),
    attribute('displayName'),
    attribute('emails', {
      type: 'complex',
      multiValued: true,
      subAttributes: [attribute('value'), attribute('type'), attribute('primary', { type: 'boolean' })],
    }),
    attribute('active', { type: 'boolean' }),
    attribute('groups', {
      type: 'complex',
      multiValued: true,
      mutability: 'readOnly',
      subAttributes: ['value', 'display', '$ref', 'type'].map((name) => attribute(name, { mutability: 'readOnly' })),
    }),
  ];
  const group = [
    attribute('displayName', { required: true, uniqueness: 'server' }),
    attribute('externalId', { caseExact: true }),
    attribute('members', {
      type: 'complex',
      multiValued: true,
      subAttributes: ['value', 'display', '$ref', 'type'].map((name) => attribute(name, { mutability: 'immutable' })),
    }),
  ];
  return [
    { id: scimSchemas.user, name: 'User', description: 'People of the workspace', attributes: user },
    { id: scimSchemas.group, name: 'Group', description: 'Groups of the directory', attributes: group },
  ].map((one) => ({
    schemas: [scimSchemas.schema],
    ...one,
    meta: { resourceType: 'Schema', location: scimAddress(publicUrl, `Schemas/${one.id}`) },
  }));
}

function attribute(name: string, more: Described = {}): Described {
  return {
    name,
    type: 'string',
    multiValued: false,
    description: '',
    required: false,
    caseExact: false,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...more,
  };
}
