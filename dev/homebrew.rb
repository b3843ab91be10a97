# Template of the Homebrew formula; a release fills in VERSION and the checksums of SHA256SUMS.
class KubectlWhy < Formula
  desc "Say why a pod does not run, serve, finish or go away"
  homepage "https://github.com/kubectl-why/kubectl-why"
  version "VERSION"
  license any_of: ["MIT", "Apache-2.0"]

  base = "https://github.com/kubectl-why/kubectl-why/releases/download/v#{version}"
  on_macos do
    on_arm do
      url "#{base}/kubectl-why-aarch64-apple-darwin.tar.gz"
      sha256 "SHA256_AARCH64_APPLE_DARWIN"
    end
    on_intel do
      url "#{base}/kubectl-why-x86_64-apple-darwin.tar.gz"
      sha256 "SHA256_X86_64_APPLE_DARWIN"
    end
  end
  on_linux do
    on_arm do
      url "#{base}/kubectl-why-aarch64-unknown-linux-musl.tar.gz"
      sha256 "SHA256_AARCH64_UNKNOWN_LINUX_MUSL"
    end
    on_intel do
      url "#{base}/kubectl-why-x86_64-unknown-linux-musl.tar.gz"
      sha256 "SHA256_X86_64_UNKNOWN_LINUX_MUSL"
    end
  end

  def install
    bin.install "kubectl-why", "kubectl_complete-why"
    man1.install "kubectl-why.1"
    bash_completion.install "completions/kubectl-why.bash" => "kubectl-why"
    zsh_completion.install "completions/_kubectl-why"
    fish_completion.install "completions/kubectl-why.fish"
  end

  test do
    assert_match "128 + 9", shell_output("#{bin}/kubectl-why explain 137")
  end
end
