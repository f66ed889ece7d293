# frozen_string_literal: true

workers 0
threads 4, 4
environment "production"
quiet
