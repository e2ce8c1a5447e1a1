package carafe.spec.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException.Invalid;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What Dockerfiles and commands write where a repository is meant, and what nobody may slip in there.
class GitAddressTest {

    private static GitAddress of(String text) throws Exception {
        return GitAddress.parse(text).orElseThrow();
    }

    @Test
    void everyFormIsRead() throws Exception {
        assertThat(of("https://h/r.git")).isEqualTo(new GitAddress("https://h/r.git", Optional.empty(), "", "",
                Optional.empty(), Optional.empty(), true));
        assertThat(of("https://h:81/r.git#v1.2:docs/x/")).extracting("url", "ref", "directory")
                .containsExactly("https://h:81/r.git", "v1.2", "docs/x");
        assertThat(of("git@h:team/r.git#:sub")).extracting("url", "ref", "directory")
                .containsExactly("git@h:team/r.git", "", "sub");
        assertThat(of("ssh://git@h:22/r#main").url()).isEqualTo("ssh://git@h:22/r");
        assertThat(of("git://h/r")).extracting("url", "submodules").containsExactly("git://h/r", true);
        assertThat(of("github.com/a/b").url()).isEqualTo("https://github.com/a/b");
        assertThat(of("https://me:p%40w@h/r.git")).extracting("url", "login")
                .containsExactly("https://h/r.git", Optional.of("me:p@w"));
        assertThat(of("https://me:pw@h/r.git").toString()).doesNotContain("pw");
        assertThat(of("git@h:r.git").ssh()).isTrue();
        assertThat(of("https://h/r.git").ssh()).isFalse();
    }

    @Test
    void aQuerySaysTheSame() throws Exception {
        var all = of("https://h/r.git?tag=v1&subdir=a%2Fb&checksum=abc&keep-git-dir=true&submodules=false");
        assertThat(all.ref()).isEqualTo("refs/tags/v1");
        assertThat(all.directory()).isEqualTo("a/b");
        assertThat(all.checksum()).contains("abc");
        assertThat(all.keepGit()).contains(true);
        assertThat(all.submodules()).isFalse();
        assertThat(of("https://h/r.git?branch=b").ref()).isEqualTo("refs/heads/b");
        assertThat(of("https://h/r.git?commit=0123456789abcdef0123456789abcdef01234567").isCommit()).isTrue();
        assertThat(of("https://h/r.git?ref=b&commit=01")).extracting("ref", "checksum").containsExactly("b", Optional.of("01"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://h/file.tar.gz", "http://h/", "path/to/x", "a.git", "Dockerfile", "-", "", "C:\\x"})
    void whatIsNoRepositoryIsLeftToOthers(String text) throws Exception {
        assertThat(GitAddress.parse(text)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "https://h/r.git#--upload-pack=touch /tmp/x", "https://h/r.git#-x", "https://h/r.git?ref=--output=/etc/x",
        "git@h:-oProxyCommand=x", "ssh://-oProxyCommand=x/r", "ssh://-oProxyCommand=x@h/r", "git@-h:r.git", "git://-h/r",
        "https://h/r.git#a..b", "https://h/r.git#a@{1}", "https://h/r.git#:../x", "https://h/r.git#main:a/../../x",
        "https://h/r.git?subdir=..%2Fx", "https://h/r.git?exec=x", "https://h/r.git?ref=a&tag=b", "https://h/r.git?ref=a#b",
        "https://h/r.git?checksum=xyz", "https://h/r.git?keep-git-dir=perhaps", "ssh://a:b@h/r", "https://h/r.git#a b",
        "git@h:r.git#$(x)", "git@h:r.git#;x", "https://h/r.git?subdir=%zz"})
    void whatCouldBeTakenForMoreIsRefused(String text) {
        assertThatThrownBy(() -> GitAddress.parse(text)).isInstanceOf(Invalid.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ext::sh -c x", "file:///etc/r.git", "fd::17/r.git", "/etc/r.git", "../r.git", "--upload-pack=x"})
    void transportsThatRunProgramsOrReadFilesAreNoAddresses(String text) throws Exception {
        assertThat(GitAddress.parse(text)).isEmpty();
        assertThat(BuildContexts.isRemote(text)).isFalse();
    }

    /// What is fetched and what is read as a repository must be the same, or a path of one is an address of the other.
    @ParameterizedTest
    @ValueSource(strings = {"git@h:r.git", "me@h:r.git", "a.b_c@h.example:team/r", "ssh://me@h/r", "GIT://h/r",
        "https://h/r.git#main:d"})
    void everyRepositoryIsRemote(String text) throws Exception {
        assertThat(GitAddress.parse(text)).isPresent();
        assertThat(BuildContexts.isRemote(text)).isTrue();
    }

    @Test
    void theShortFormIsAPathButOfAContext() {
        assertThat(BuildContexts.isRemote("github.com/a/b")).isFalse();
        assertThat(BuildContexts.isRemoteContext("github.com/a/b")).isTrue();
    }
}
