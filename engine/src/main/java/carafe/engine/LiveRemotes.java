package carafe.engine;

import carafe.build.source.Remotes;
import carafe.registry.Registries;
import carafe.spec.EngineException;
import carafe.spec.build.GitAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/// What builds fetch: files by the client of registries, with its proxies, trust and limits; repositories by git.
/// Secrets called as BuildKit calls them (`HTTP_AUTH_TOKEN_<host>`, `HTTP_AUTH_HEADER_<host>`, `GIT_AUTH_TOKEN[.<host>]`,
/// `GIT_AUTH_HEADER[.<host>]`) are shown to that host and to no other; `<host>:<port>` names just that port. Where a
/// repository's own words lead (submodules), none is shown in clear text, nor one of a host at a port that nobody named.
record LiveRemotes(Registries registries, GitProgram git) implements Remotes {

    @Override
    public WebFile file(String url, Optional<String> version, Proof proof) throws EngineException, InterruptedException {
        var answer = registries.web(url, version, fileAuthorization(url, proof));
        return new WebFile(answer.body(), answer.version(), answer.modified(), answer.unchanged());
    }

    private static Optional<String> fileAuthorization(String url, Proof proof) throws EngineException.Invalid {
        String host = host(url);
        var header = text(proof, "HTTP_AUTH_HEADER_" + host);
        return header.isPresent() ? header : text(proof, "HTTP_AUTH_TOKEN_" + host).map(token -> "Bearer " + token);
    }

    private static String host(String url) throws EngineException.Invalid {
        try {
            return String.valueOf(new URI(url).getHost());
        } catch (URISyntaxException e) {
            throw new EngineException.Invalid("invalid URL \"" + url + "\": " + e.getMessage());
        }
    }

    private static Optional<String> text(Proof proof, String secret) {
        byte[] content = proof.secrets().get(secret);
        return content == null ? Optional.empty() : Optional.of(new String(content, StandardCharsets.UTF_8).strip());
    }

    @Override
    public String commit(GitAddress address, Proof proof) throws EngineException, InterruptedException {
        return git.commit(address, way(address, proof, origin(address)));
    }

    @Override
    public void checkout(GitAddress address, String commit, boolean keepGit, Proof proof, Receiver receiver)
            throws EngineException, InterruptedException {
        String own = origin(address);
        git.checkout(new GitProgram.Wanted(address, commit, keepGit), at -> way(at, proof, own), receiver);
    }

    /// Scheme, host and port, as far as they are said.
    static String origin(GitAddress address) {
        return address.url().replaceFirst("^(\\w+://[^/]*).*", "$1");
    }

    /// How a repository is reached in a build that was asked for one at the origin `asked`. What is for no named host is
    /// for that origin alone; what is for a host, for its https port besides.
    GitProgram.Way way(GitAddress address, Proof proof, String asked) throws EngineException.Invalid {
        String url = address.url();
        if (!url.startsWith("http")) {
            return new GitProgram.Way(List.of(address.ssh() ? "ssh" : "git"), "", "",
                    proof.agents().getOrDefault("default", ""));
        }
        boolean own = origin(address).equals(asked);
        boolean safe = url.startsWith("https:");
        String host = host(url);
        int said = URI.create(url).getPort();
        int port = said >= 0 ? said : safe ? 443 : 80;
        Optional<String> header = own || safe ? authorization(proof, "." + host + ":" + port) : Optional.empty();
        if (own || safe && port == 443) {
            header = header.or(() -> authorization(proof, "." + host));
        }
        if (own) {
            header = header.or(() -> authorization(proof, ""));
        }
        header = header.or(() -> address.login().map(login -> basic(login.contains(":") ? login : login + ":")));
        return new GitProgram.Way(safe ? List.of("https") : List.of("http", "https"), registries.proxy(url),
                header.orElse(""), "");
    }

    private static Optional<String> authorization(Proof proof, String whose) {
        return text(proof, "GIT_AUTH_HEADER" + whose).or(() -> text(proof, "GIT_AUTH_TOKEN" + whose).map(LiveRemotes::token));
    }

    private static String token(String token) {
        return basic("x-access-token:" + token);
    }

    private static String basic(String login) {
        return "basic " + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8));
    }
}
