package carafe.spec.build;

import carafe.spec.EngineException.Invalid;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Where in which git repository files lie, as Dockerfiles and build commands write it: `https://host/repo.git`,
/// `git://`, `ssh://user@host/repo.git` or `user@host:repo.git`, then `#REF:DIRECTORY` or a query of `ref`, `tag`,
/// `branch`, `commit`, `checksum`, `subdir`, `keep-git-dir` and `submodules`. Nothing in it can be taken for an option
/// or for a transport that runs programs. Source: Dockerfile reference, "Adding files from a Git repository".
///
/// @param url        of the repository, without name and password
/// @param login      `name` or `name:password` of an http or https URL
/// @param ref        branch, tag, full name or commit; `""`: what the repository's HEAD is
/// @param directory  below the root, cleaned; `""`: all
/// @param checksum   what the commit begins with, if that was said here
/// @param keepGit    whether `.git` is wanted too, if that was said here
/// @param submodules whether submodules come along
public record GitAddress(String url, Optional<String> login, String ref, String directory, Optional<String> checksum,
        Optional<Boolean> keepGit, boolean submodules) {

    private static final int MAX_LENGTH = 4096;
    private static final String HOST = "[A-Za-z0-9][A-Za-z0-9.-]*";
    private static final Pattern URL = Pattern.compile("(?<scheme>https?|git|ssh)://(?:(?<login>[^/@\\s]+)@)?"
            + "(?<host>" + HOST + "|\\[[0-9A-Fa-f:.]+\\])(?<port>:\\d{1,5})?(?<path>/[^\\s?#]*)", Pattern.CASE_INSENSITIVE);
    private static final Pattern SHORT = Pattern.compile("(?<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@(?<host>" + HOST
            + "):(?<path>[^\\s?#:-][^\\s?#]*)");
    private static final Pattern REF = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_./+@=-]*");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");

    /// Checks what becomes part of commands.
    public GitAddress {
        if (url.startsWith("-") || ref.startsWith("-") || url.isEmpty()) {
            throw new IllegalArgumentException("not of a repository: " + url + " " + ref);
        }
    }

    /// The address that `text` is; empty when it is something else, such as a file of the web or a path.
    /// @throws Invalid it is one, but not in order
    public static Optional<GitAddress> parse(String text) throws Invalid {
        if (text.length() > MAX_LENGTH) {
            throw new Invalid("an address longer than " + MAX_LENGTH + " characters");
        }
        String whole = text.startsWith("github.com/") ? "https://" + text : text;
        int hash = whole.indexOf('#');
        String fragment = hash < 0 ? "" : whole.substring(hash + 1);
        String front = hash < 0 ? whole : whole.substring(0, hash);
        int mark = front.indexOf('?');
        String query = mark < 0 ? "" : front.substring(mark + 1);
        String place = mark < 0 ? front : front.substring(0, mark);
        var url = URL.matcher(place);
        if (url.matches()) {
            String scheme = url.group("scheme").toLowerCase(Locale.ROOT);
            boolean web = scheme.startsWith("http");
            if (web && !place.endsWith(".git") && !text.startsWith("github.com/")) {
                return Optional.empty();
            }
            Optional<String> login = Optional.ofNullable(url.group("login"));
            if (!web && login.isPresent() && (login.get().contains(":") || login.get().startsWith("-"))) {
                throw new Invalid("invalid git address " + scheme + "://" + url.group("host")
                        + ": a password has no place in it, ssh asks an agent");
            }
            String shown = web || login.isEmpty() ? "" : login.get() + "@";
            String port = url.group("port") == null ? "" : url.group("port");
            return Optional.of(read(scheme + "://" + shown + url.group("host") + port + url.group("path"),
                    web ? login.map(GitAddress::decoded) : Optional.empty(), fragment, query));
        }
        var brief = SHORT.matcher(place);
        if (brief.matches()) {
            return Optional.of(read(place, Optional.empty(), fragment, query));
        }
        if (BuildContexts.isRemote(text) && !text.matches("(?is)https?://.*")) {
            throw new Invalid("invalid git address \"" + text + "\": write it as https://HOST/REPOSITORY.git or "
                    + "git@HOST:REPOSITORY.git, then #REF:DIRECTORY");
        }
        return Optional.empty();
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static GitAddress read(String url, Optional<String> login, String fragment, String query) throws Invalid {
        int colon = fragment.indexOf(':');
        String ref = colon < 0 ? fragment : fragment.substring(0, colon);
        String directory = colon < 0 ? "" : fragment.substring(colon + 1);
        var asked = query(url, query);
        if (!fragment.isEmpty() && !asked.isEmpty()) {
            throw new Invalid("invalid git address " + url + ": say ref and directory behind # or behind ?, not both");
        }
        Optional<String> checksum = Optional.ofNullable(asked.get("checksum"));
        for (var each : asked.entrySet()) {
            String value = each.getValue();
            switch (each.getKey()) {
                case "ref" -> ref = value;
                case "branch" -> ref = "refs/heads/" + value;
                case "tag" -> ref = "refs/tags/" + value;
                case "commit" -> {
                    checksum = checksum.isPresent() ? checksum : Optional.of(value);
                    ref = ref.isEmpty() && COMMIT.matcher(value).matches() ? value : ref;
                }
                case "subdir" -> directory = value;
                default -> { }
            }
        }
        if (!ref.isEmpty() && (!REF.matcher(ref).matches() || ref.contains("..") || ref.contains("@{") || ref.length() > 255)) {
            throw new Invalid("invalid git ref \"" + ref + "\" of " + url + ": a branch, a tag or a commit is wanted");
        }
        if (checksum.isPresent() && !checksum.get().matches("[0-9a-f]{1,64}")) {
            throw new Invalid("invalid commit \"" + checksum.get() + "\" of " + url + ": hexadecimal digits are wanted");
        }
        return new GitAddress(url, login, ref, directory(url, directory), checksum, truth(url, asked, "keep-git-dir"),
                truth(url, asked, "submodules").orElse(true));
    }

    private static Map<String, String> query(String url, String query) throws Invalid {
        var asked = new LinkedHashMap<String, String>();
        if (query.isEmpty()) {
            return asked;
        }
        for (String part : query.split("&")) {
            int equals = part.indexOf('=');
            String name = equals < 0 ? part : part.substring(0, equals);
            if (!name.matches("ref|tag|branch|commit|checksum|subdir|keep-git-dir|submodules")) {
                throw new Invalid("unexpected \"" + name + "\" in the query of " + url + ": ref, tag, branch, commit, "
                        + "checksum, subdir, keep-git-dir and submodules are known");
            }
            try {
                asked.put(name, equals < 0 ? "" : URLDecoder.decode(part.substring(equals + 1), StandardCharsets.UTF_8));
            } catch (IllegalArgumentException e) {
                throw new Invalid("the query of " + url + " is not escaped right: " + part);
            }
        }
        if (asked.keySet().stream().filter(name -> name.matches("ref|tag|branch")).count() > 1) {
            throw new Invalid("the query of " + url + " names more than one of ref, tag and branch");
        }
        return asked;
    }

    private static Optional<Boolean> truth(String url, Map<String, String> asked, String name) throws Invalid {
        String value = asked.get(name);
        if (value == null) {
            return Optional.empty();
        }
        return switch (value) {
            case "", "1", "true" -> Optional.of(true);
            case "0", "false" -> Optional.of(false);
            default -> throw new Invalid("invalid " + name + "=" + value + " of " + url + ": true or false is wanted");
        };
    }

    private static String directory(String url, String text) throws Invalid {
        if (text.indexOf('\0') >= 0 || List.of(text.split("/")).contains("..")) {
            throw new Invalid("invalid directory \"" + text + "\" of " + url + ": it must lie in the repository");
        }
        return IgnorePatterns.clean(text);
    }

    /// Whether `ref` is a commit itself, which never means anything else later.
    public boolean isCommit() {
        return COMMIT.matcher(ref).matches();
    }

    /// Whether it is asked over ssh, with an agent's keys.
    public boolean ssh() {
        return url.startsWith("ssh://") || !url.contains("://");
    }

    /// For people, without name and password.
    @Override
    public String toString() {
        return url + (ref.isEmpty() && directory.isEmpty() ? "" : "#" + ref)
                + (directory.isEmpty() ? "" : ":" + directory);
    }
}
