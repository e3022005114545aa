// What the packages bring along: checks of manifests, of what would be published, and of the lockfile.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const RUN_AT_INSTALL = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']
const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/
/** What a package consists of. No tests, no settings, nothing that lies about. */
const PUBLISHED = /^(package\.json|README\.md|LICENSE|(bin|dist|src|packs)\/[\w./-]+)$/
const NOT_PUBLISHED = /\.test\.|\.tsbuildinfo$|(^|\/)\.|\.(env|pem|key|log|tgz)$/

/** Problems of a package's manifest, in words. */
export function manifestProblems({ name, scripts = {}, dependencies = {}, files, publishConfig }) {
  return [
    ...RUN_AT_INSTALL.filter((script) => script in scripts).map(
      (script) => `${name} runs "${script}" when it is installed`,
    ),
    ...Object.entries(dependencies)
      .filter(([, version]) => !EXACT.test(version))
      .map(([dependency, version]) => `${name} takes ${dependency} as "${version}": give one version`),
    ...(Array.isArray(files) ? [] : [`${name} has no "files": everything that lies about would be published`]),
    ...(publishConfig?.provenance === true ? [] : [`${name} would be published without provenance (publishConfig)`]),
  ]
}

/** Problems of what would be published: a list of paths. */
export function contentProblems(name, paths) {
  return paths
    .filter((path) => !PUBLISHED.test(path) || NOT_PUBLISHED.test(path))
    .map((path) => `${name} would publish ${path}`)
}

/** Problems of a lockfile: what comes from elsewhere than the registry, or runs a program when hosts install it. */
export function lockfileProblems({ packages }) {
  return Object.entries(packages).flatMap(([path, { link, integrity, resolved, hasInstallScript, dev, optional }]) => {
    if (!path.startsWith('node_modules/') || link === true) return []
    return [
      ...(integrity?.startsWith('sha512-') ? [] : [`${path} has no sha512 in the lockfile`]),
      ...(resolved === undefined || resolved.startsWith('https://registry.npmjs.org/')
        ? []
        : [`${path} does not come from the registry`]),
      ...(hasInstallScript === true && dev !== true && optional !== true
        ? [`${path} runs a program when linli is installed`]
        : []),
    ]
  })
}

/** All problems of the packages in these folders of `root`. */
export function supplyChainProblems(root, folders) {
  const read = (path) => JSON.parse(readFileSync(`${root}/${path}`, 'utf8'))
  const packed = (folder) => {
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts', `./${folder}`]
    const { stdout } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    return JSON.parse(stdout)[0].files.map(({ path }) => path)
  }
  return [
    ...folders.flatMap((folder) => {
      const manifest = read(`${folder}/package.json`)
      return [...manifestProblems(manifest), ...contentProblems(manifest.name, packed(folder))]
    }),
    ...lockfileProblems(read('package-lock.json')),
  ]
}
