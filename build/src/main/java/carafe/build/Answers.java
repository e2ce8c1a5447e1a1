package carafe.build;

import carafe.build.dockerfile.Dockerfile;
import carafe.build.dockerfile.DockerfileException;
import carafe.build.dockerfile.Finding;
import carafe.build.dockerfile.Rule;
import carafe.build.dockerfile.Source;
import carafe.build.dockerfile.Span;
import carafe.build.dockerfile.Stage;
import carafe.build.plan.BuildPlan;
import carafe.build.plan.Mount;
import carafe.build.plan.Operation;
import carafe.spec.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The answer of a `--call`: what is wrong with a Dockerfile, what can be said to it, what can be made of it; as a text and
/// as the document that buildx prints with `format=json`, without what only BuildKit has (its own graph). Source:
/// frontend/subrequests of BuildKit (lint, outline, targets).
record Answers(String text, String json) {

    private Answers(StringBuilder text, Json.Builder json) {
        this(text.toString(), printed(json));
    }

    private static String printed(Json.Builder json) {
        return json.build().printIndented("  ") + "\n";
    }

    static Answers check(Dockerfile file, List<Finding> findings) {
        var text = new StringBuilder("Check complete, ");
        if (findings.isEmpty()) {
            text.append("no warnings found.\n");
        } else {
            text.append(findings.size()).append(findings.size() == 1 ? " warning has" : " warnings have")
                    .append(" been found!\n");
        }
        for (var finding : findings) {
            text.append("\nWARNING: ").append(finding.rule().word()).append(" - ").append(url(finding.rule())).append('\n')
                    .append(finding.message()).append('\n');
            if (!finding.fix().isEmpty()) {
                text.append("  try:  ").append(finding.fix()).append('\n');
            }
            text.append(file.source().excerpt(finding.span())).append('\n');
        }
        var warnings = findings.stream().map(finding -> Json.object().put("ruleName", finding.rule().word())
                .put("description", finding.rule().description()).put("url", url(finding.rule()))
                .put("detail", finding.message()).put("location", location(finding.span())).build()).toList();
        return new Answers(text, Json.object().put("warnings", Json.ofAll(warnings)).put("sources", sources(file.source())));
    }

    /// The document of a check whose file no build could be planned of.
    static String broken(Source source, DockerfileException error) {
        return printed(Json.object().put("warnings", Json.ofAll(List.of())).put("sources", sources(source))
                .put("buildError", Json.object().put("message", error.getMessage()).put("location", location(error.span()))
                        .build()));
    }

    private static String url(Rule rule) {
        return "https://docs.docker.com/go/dockerfile/rule/" + rule.word().replaceAll("([a-z])([A-Z])", "$1-$2")
                .replaceAll("([A-Z]+)([A-Z][a-z])", "$1-$2").toLowerCase(Locale.ROOT) + "/";
    }

    private static Json sources(Source source) {
        return Json.ofAll(List.of(Json.object().put("filename", source.name()).put("data", data(source))
                .put("language", "Dockerfile").build()));
    }

    private static String data(Source source) {
        return Base64.getEncoder().encodeToString(String.join("\n", source.lines()).getBytes(StandardCharsets.UTF_8));
    }

    private static Json.Obj location(Span span) {
        return Json.object().put("ranges", Json.ofAll(List.of(Json.object()
                .put("start", Json.object().put("line", span.first()).build())
                .put("end", Json.object().put("line", span.last()).build()).build()))).build();
    }

    static Answers targets(Dockerfile file) {
        var rows = new ArrayList<List<String>>();
        var targets = new ArrayList<Json.Obj>();
        for (var stage : file.stages()) {
            boolean last = stage.index() == file.stages().size() - 1;
            String name = stage.base().name().orElse("");
            String description = stage.from().description(stage.title());
            String shown = name.isEmpty() && !last ? stage.title() : name + (last ? " (default)" : "");
            rows.add(List.of(shown.strip(), description));
            var target = Json.object();
            putText(target, "name", name);
            if (last) {
                target.put("default", true);
            }
            putText(target, "description", description);
            putText(target, "base", stage.base().image());
            putText(target, "platform", stage.base().platform().orElse(""));
            targets.add(target.put("location", location(stage.from().span())).build());
        }
        var text = new StringBuilder();
        table(text, List.of("TARGET", "DESCRIPTION"), rows);
        return new Answers(text, Json.object().put("targets", Json.ofAll(targets))
                .put("sources", Json.ofTexts(List.of(data(file.source())))));
    }

    /// Something that a RUN step mounts, and that the client gives.
    private record Given(boolean required, Span span) {
        Given and(Given later) {
            return new Given(required || later.required, span);
        }
    }

    static Answers outline(Dockerfile file, BuildPlan plan) {
        var target = file.stages().get(plan.target().inFile());
        var json = Json.object();
        putText(json, "name", target.base().name().orElse(""));
        putText(json, "description", description(target));
        var text = new StringBuilder("TARGET:      " + target.title() + "\n");
        if (!description(target).isEmpty()) {
            text.append("DESCRIPTION: ").append(description(target)).append('\n');
        }
        if (!plan.arguments().isEmpty()) {
            text.append('\n');
            table(text, List.of("BUILD ARG", "VALUE", "DESCRIPTION"), plan.arguments().stream()
                    .map(argument -> List.of(argument.name(), argument.value(), argument.description())).toList());
            json.put("args", Json.ofAll(plan.arguments().stream().map(argument -> {
                var one = Json.object().put("name", argument.name());
                putText(one, "description", argument.description());
                putText(one, "value", argument.value());
                return one.put("location", location(argument.span())).build();
            }).toList()));
        }
        var secrets = new LinkedHashMap<String, Given>();
        var agents = new LinkedHashMap<String, Given>();
        var steps = plan.stages().stream().flatMap(stage -> stage.steps().stream())
                .sorted((a, b) -> Integer.compare(a.span().first(), b.span().first())).toList();
        for (var step : steps) {
            if (step.operation() instanceof Operation.Run run) {
                run.mounts().forEach(mount -> {
                    switch (mount) {
                        case Mount.Secret secret ->
                            secrets.merge(secret.id(), new Given(secret.required(), step.span()), Given::and);
                        case Mount.Ssh ssh -> agents.merge(ssh.id(), new Given(ssh.required(), step.span()), Given::and);
                        case Mount.Bind _, Mount.Cache _, Mount.Tmpfs _ -> { }
                    }
                });
            }
        }
        given("SECRET", secrets, text, "secrets", json);
        given("SSH", agents, text, "ssh", json);
        return new Answers(text, json.put("sources", Json.ofTexts(List.of(data(file.source())))));
    }

    private static String description(Stage stage) {
        return stage.from().description(stage.title());
    }

    private static void given(String title, Map<String, Given> all, StringBuilder text, String key, Json.Builder json) {
        if (all.isEmpty()) {
            return;
        }
        text.append('\n');
        table(text, List.of(title, "REQUIRED"), all.entrySet().stream()
                .map(each -> List.of(each.getKey(), each.getValue().required ? "true" : "")).toList());
        json.put(key, Json.ofAll(all.entrySet().stream().map(each -> {
            var one = Json.object().put("name", each.getKey());
            if (each.getValue().required) {
                one.put("required", true);
            }
            return one.put("location", location(each.getValue().span)).build();
        }).toList()));
    }

    /// Puts `value` where there is one, as Go's omitempty.
    private static void putText(Json.Builder json, String key, String value) {
        if (!value.isEmpty()) {
            json.put(key, value);
        }
    }

    /// Columns as wide as their widest cell, three blanks between them.
    private static void table(StringBuilder text, List<String> head, List<List<String>> rows) {
        var all = new ArrayList<List<String>>();
        all.add(head);
        all.addAll(rows);
        for (var row : all) {
            var line = new StringBuilder();
            for (int column = 0; column < row.size(); column++) {
                int at = column;
                int width = all.stream().mapToInt(each -> each.get(at).length()).max().orElse(0);
                line.append(row.get(column)).append(" ".repeat(width - row.get(column).length() + 3));
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
    }
}
