package carafe.build.solve;

import carafe.build.plan.Mount;
import carafe.build.plan.Operation;
import carafe.spec.Json;
import carafe.spec.build.BuildLimits;
import carafe.spec.oci.Digest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What a step's result depends on, named, so that two keys can be compared part by part; its digest is the key.
/// Never in it: times, secrets' content, proxies, names of stages.
final class StepKey {

    /// Counts up when copies come to have other results: those of the versions before are not found then.
    private static final String COPY_RULES = "2";
    /// The same for those with `--link`.
    private static final String LINK_RULES = "2";

    private final TreeMap<String, String> parts = new TreeMap<>();

    StepKey(String kind, Optional<Long> epoch) {
        parts.put("kind", kind);
        epoch.ifPresent(seconds -> parts.put("epoch", Long.toString(seconds)));
    }

    StepKey below(StageResult state) {
        return with("below", state.chain().hex());
    }

    StepKey with(String part, String value) {
        parts.put(part, value);
        return this;
    }

    /// What a program's run depends on; `origins` are the identities of what its mounts read, by their number;
    /// of `limits`, those of processes and the names of hosts are in it because programs can ask for them.
    StepKey run(Operation.Run run, Map<Integer, String> origins, BuildLimits limits) {
        if (!limits.extraHosts().isEmpty()) { // in their order: of two with a name the first counts
            with("hosts", Json.ofTexts(limits.extraHosts()).print());
        }
        if (!limits.ulimits().isEmpty()) {
            with("ulimits", Json.ofTexts(limits.ulimits().stream()
                    .map(each -> each.name() + "=" + each.soft() + ":" + each.hard()).sorted().toList()).print());
        }
        with("arguments", Json.ofTexts(run.arguments()).print());
        for (String entry : run.environment()) {
            int equals = entry.indexOf('=');
            with("environment " + entry.substring(0, equals), entry.substring(equals + 1));
        }
        with("directory", run.directory()).with("user", run.user()).with("network", run.network());
        if (!run.hostName().isEmpty()) {
            with("host name", run.hostName());
        }
        if (run.insecure()) {
            with("security", "insecure");
        }
        run.script().ifPresent(script -> with("script", script.path() + "\n" + script.content()));
        int number = 0;
        for (var mount : run.mounts()) {
            String origin = origins.getOrDefault(number, "");
            with("mount " + number++, switch (mount) {
                case Mount.Bind bind -> "bind " + bind.target() + " " + bind.source() + " " + bind.writable() + " " + origin;
                case Mount.Cache cache -> "cache " + cache.target() + " " + cache.id();
                case Mount.Tmpfs tmpfs -> "tmpfs " + tmpfs.target();
                case Mount.Secret secret -> "secret " + secret.target() + " " + secret.id() + " "
                        + secret.environment().orElse("");
                case Mount.Ssh ssh -> "ssh " + ssh.target() + " " + ssh.id();
            });
        }
        return this;
    }

    /// What a copy depends on, its files apart.
    StepKey copy(Operation.Copy copy) {
        var options = copy.options();
        with("rules", COPY_RULES).with("destination", copy.destination()).with("owner", options.owner().orElse(""))
                .with("mode", options.mode().orElse("")).with("link", Boolean.toString(options.link()))
                .with("sources", Json.ofTexts(copy.sources()).print()).with("parents", Boolean.toString(options.parents()))
                .with("excludes", Json.ofTexts(options.excludes()).print())
                .with("unpack", options.unpack().map(String::valueOf).orElse("") + copy.add());
        if (options.link()) {
            with("link rules", LINK_RULES);
        }
        for (var inline : copy.inline()) {
            with("inline " + inline.name(), inline.content());
        }
        return this;
    }

    Digest digest() {
        return Digest.sha256(Json.ofMap(parts).printBytes());
    }

    Map<String, String> parts() {
        return parts;
    }

    /// What differs from `before`, for people; the most telling first.
    List<String> differences(Map<String, String> before) {
        var differences = new ArrayList<String>();
        if (!before.getOrDefault("below", "").equals(parts.getOrDefault("below", ""))) {
            differences.add("an earlier step of the stage has another result");
        }
        parts.forEach((part, value) -> {
            if (!part.equals("below") && !part.equals("files") && !value.equals(before.get(part))) {
                differences.add(before.containsKey(part) ? part + " changed" : part + " is new");
            }
        });
        for (String part : before.keySet()) {
            if (!parts.containsKey(part) && !part.startsWith("file ")) {
                differences.add(part + " is gone");
            }
        }
        return differences;
    }
}
