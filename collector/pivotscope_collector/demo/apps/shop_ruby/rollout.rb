# frozen_string_literal: true

require "digest"
require "json"

module Shop
  # Who gets the native implementation: a salted, sticky share of the users.
  #
  # Reads {"share": 0.1, "salt": "…"} again whenever the file changes; no file means nobody.
  class Rollout
    def initialize(path)
      @path = path
      @stamp = nil
      @share = 0.0
      @salt = ""
    end

    # Whether this user is among the share; the same answer for the same share, always.
    def picks?(user)
      refresh
      Digest::SHA256.digest("#{@salt}:#{user}").unpack1("Q>") < @share * 2**64
    end

    private

    def refresh
      stamp = File.mtime(@path)
      return if stamp == @stamp

      settings = JSON.parse(File.read(@path))
      @share, @salt, @stamp = settings["share"], settings["salt"], stamp
    rescue Errno::ENOENT
      nil
    end
  end
end
