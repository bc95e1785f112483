export type Environment = Readonly<Record<string, string | undefined>>;

// Where things are, how the network is reached, and the user's own settings of the package tools. Never a provider's key.
const forTools =
  /^(path|home|user|logname|userprofile|appdata|localappdata|systemroot|tmpdir|temp|tmp|lang|lc_\w+|xdg_\w+|ld_library_path|nix_\w+|(https?|no|all)_proxy|ssl_cert_(file|dir)|node_extra_ca_certs|requests_ca_bundle|curl_ca_bundle|pip_\w+|pyenv_\w+|virtual_env|npm_config_(registry|cache|userconfig|globalconfig|proxy|https_proxy|noproxy|ca|cafile|strict_ssl))$/i;

const forPrograms = /^(path|home|systemroot|tmpdir|temp|tmp|lang|lc_\w+|ld_library_path)$/i;

/**
 * What npm and pip may see of our environment. Under `npm start` npm itself puts its settings there, and those that tell
 * where to install would send the packages into this repository.
 */
export const toolEnvironment = (environment: Environment): Environment => pick(environment, forTools);

/** What a program of ours needs that reads no settings from its environment. */
export const programEnvironment = (environment: Environment): Environment => pick(environment, forPrograms);

function pick(environment: Environment, names: RegExp): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => names.test(name)));
}
