package carafe.spec.oci;

import carafe.spec.EngineException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/// The name of an image in full: registry domain, repository path, and a tag, a digest, both or neither.
/// People leave out what Docker fills in: `busybox` is `docker.io/library/busybox`; [#familiar()] is the short form.
/// Never longer than [#MAX_LENGTH] characters, so that the patterns below stay cheap on hostile input.
/// Source: distribution/reference, the grammar in its reference.go and the rules of its normalize.go; texts as there.
public record Reference(String domain, String path, Optional<String> tag, Optional<Digest> digest) {

    /// The longest text that can be a reference: 255 of domain, 255 of path, 128 of tag and a sha512 digest fit.
    public static final int MAX_LENGTH = 1024;

    private static final String DEFAULT_DOMAIN = "docker.io";
    private static final String LEGACY_DOMAIN = "index.docker.io";
    private static final String OFFICIAL = "library/";
    private static final String DEFAULT_TAG = "latest";
    private static final int MAX_PATH = 255;
    private static final int MAX_TAG = 128;

    private static final Pattern IDENTIFIER = Pattern.compile("[a-f0-9]{64}");
    private static final Pattern TAG = Pattern.compile("\\w[\\w.-]{0,127}");
    private static final Pattern DIGEST = Pattern.compile(
            "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}");
    private static final Pattern PATH = Pattern.compile(component() + "(?:/" + component() + ")*+");
    private static final Pattern DOMAIN = Pattern.compile("(?:" + label() + "(?:\\." + label() + ")*+"
            + "|\\[[a-fA-F0-9:]+])(?::[0-9]+)?");

    public Reference {
        if (domain.isEmpty() || path.isEmpty()) {
            throw new IllegalArgumentException("a reference needs a domain and a path");
        }
    }

    private static String component() {
        return "[a-z0-9]++(?:(?:__|[._]|-++)[a-z0-9]++)*+";
    }

    private static String label() {
        return "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
    }

    /// Whether `text` can be the path of a repository, as `library/busybox` is: no upper case, no `..`, no empty part.
    public static boolean isPath(String text) {
        return text.length() <= MAX_PATH && PATH.matcher(text).matches();
    }

    /// Whether `text` can be a tag.
    public static boolean isTag(String text) {
        return text.length() <= MAX_TAG && TAG.matcher(text).matches();
    }

    /// Reads a reference as people write it, filling in Docker's defaults for domain and `library/`, not for the tag.
    public static Reference parse(String text) throws EngineException.Invalid {
        if (text.length() > MAX_LENGTH) {
            throw new EngineException.Invalid("invalid reference format");
        }
        if (IDENTIFIER.matcher(text).matches()) {
            throw new EngineException.Invalid(
                    "invalid repository name (" + text + "), cannot specify 64-byte hexadecimal strings");
        }
        int slash = text.indexOf('/');
        boolean hasDomain = slash >= 0 && looksLikeDomain(text.substring(0, slash));
        String domain = hasDomain ? text.substring(0, slash) : DEFAULT_DOMAIN;
        String rest = hasDomain ? text.substring(slash + 1) : text;
        if (domain.equals(LEGACY_DOMAIN)) {
            domain = DEFAULT_DOMAIN;
        }
        if (domain.equals(DEFAULT_DOMAIN) && rest.indexOf('/') < 0) {
            rest = OFFICIAL + rest;
        }
        int colon = rest.indexOf(':');
        String named = colon < 0 ? rest : rest.substring(0, colon);
        if (!named.toLowerCase(Locale.ROOT).equals(named)) {
            throw new EngineException.Invalid("invalid reference format: repository name (" + named
                    + ") must be lowercase");
        }
        return parts(domain, rest);
    }

    private static Reference parts(String domain, String rest) throws EngineException.Invalid {
        Optional<String> digestText = Optional.empty();
        int at = rest.indexOf('@');
        if (at >= 0) {
            digestText = Optional.of(rest.substring(at + 1));
            rest = rest.substring(0, at);
        }
        Optional<String> tag = Optional.empty();
        int colon = rest.indexOf(':');
        if (colon >= 0) {
            tag = Optional.of(rest.substring(colon + 1));
            rest = rest.substring(0, colon);
        }
        if (!DOMAIN.matcher(domain).matches() || !PATH.matcher(rest).matches()
                || tag.isPresent() && !TAG.matcher(tag.get()).matches()
                || digestText.isPresent() && !DIGEST.matcher(digestText.get()).matches()) {
            throw new EngineException.Invalid("invalid reference format");
        }
        if (rest.length() > MAX_PATH) {
            throw new EngineException.Invalid("repository name must not be more than " + MAX_PATH + " characters");
        }
        Optional<Digest> digest = Optional.empty();
        if (digestText.isPresent()) {
            digest = Optional.of(Digest.parse(digestText.get()));
        }
        return new Reference(domain, rest, tag, digest);
    }

    private static boolean looksLikeDomain(String text) {
        return text.indexOf('.') >= 0 || text.indexOf(':') >= 0 || text.equals("localhost")
                || !text.toLowerCase(Locale.ROOT).equals(text);
    }

    /// The repository in full, without tag and digest: `docker.io/library/busybox`.
    public String repository() {
        return domain + "/" + path;
    }

    /// The repository as people write it: `busybox`.
    public String familiarRepository() {
        if (!domain.equals(DEFAULT_DOMAIN)) {
            return repository();
        }
        boolean official = path.startsWith(OFFICIAL) && path.indexOf('/', OFFICIAL.length()) < 0;
        return official ? path.substring(OFFICIAL.length()) : path;
    }

    /// The whole reference as people write it: `busybox:latest`.
    public String familiar() {
        return familiarRepository() + suffix();
    }

    /// This reference with the tag `latest` when it has neither tag nor digest.
    public Reference withDefaultTag() {
        return tag.isEmpty() && digest.isEmpty() ? new Reference(domain, path, Optional.of(DEFAULT_TAG), digest) : this;
    }

    /// The same repository with `tag` only.
    public Reference withTag(String tag) throws EngineException.Invalid {
        if (!TAG.matcher(tag).matches()) {
            throw new EngineException.Invalid("invalid tag format");
        }
        return new Reference(domain, path, Optional.of(tag), Optional.empty());
    }

    /// The same repository by `digest` only.
    public Reference withDigest(Digest digest) {
        return new Reference(domain, path, Optional.empty(), Optional.of(digest));
    }

    /// The reference in full: `docker.io/library/busybox:latest`.
    @Override
    public String toString() {
        return repository() + suffix();
    }

    private String suffix() {
        return tag.map(text -> ":" + text).orElse("") + digest.map(value -> "@" + value).orElse("");
    }
}
