# SPDX-License-Identifier: ISC
# packaging/release.sh fills in the three words between @ of a release.
class Svtree < Formula
  desc "Supervision tree for the host side of a local-LLM stack"
  homepage "@HOMEPAGE@"
  url "@URL@"
  sha256 "@SHA256@"
  license "ISC"

  depends_on "pkgconf" => :build
  depends_on "inih"
  depends_on "jsmn"
  depends_on "libmicrohttpd"
  uses_from_macos "curl"

  on_linux do
    depends_on "libbsd"
  end

  def install
    system "./configure", "--disable-silent-rules",
           "--sysconfdir=#{etc}", *std_configure_args
    system "make", "install"
    (etc/"svtree/services").mkpath
  end

  service do
    run [opt_bin/"svtree", "--run", var/"run/svtree", "--state",
         var/"lib/svtree", "--log", var/"log/svtree", etc/"svtree/services"]
    keep_alive successful_exit: false
    process_type :interactive
    log_path var/"log/svtree.log"
    error_log_path var/"log/svtree.log"
  end

  test do
    (testpath/"services/sleeper").mkpath
    (testpath/"services/sleeper/service.conf").write <<~CONF
      [service]
      exec = sleep 1000
    CONF
    system bin/"svctl", "check", testpath/"services"
  end
end
